"""The names that a kernel's Kconfig knows."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ktrace.errors import HostError

_CONFIG = re.compile(rb"^\s*(?:menu)?config\s+(\w+)", re.MULTILINE)
#: Below these, Kconfig files belong to other architectures, or are no part of any kernel.
_ELSEWHERE = ("Documentation", "scripts", "tools")
_ARCH = "x86"


def kconfig_symbols(tree: Path) -> frozenset[str]:
    """Collect every name that a source tree's Kconfig files define for x86, without ``CONFIG_``.

    Which of them can be set depends on others; that is kconfig's to say. Here it only matters whether there is one.

    :param tree: top directory of the sources
    :raises HostError: for files that cannot be read
    """
    found: set[str] = set()
    for place, directories, files in os.walk(tree):
        where = Path(place).relative_to(tree)
        if where == Path():
            directories[:] = [name for name in directories if name not in _ELSEWHERE and not name.startswith(".")]
        elif where == Path("arch"):
            directories[:] = [_ARCH]
        for name in files:
            if name.startswith("Kconfig"):
                try:
                    text = Path(place, name).read_bytes()
                except OSError as error:
                    raise HostError(f"cannot read {str(Path(place, name))!r}: {error.strerror}") from error
                found.update(match.decode() for match in _CONFIG.findall(text))
    return frozenset(found)
