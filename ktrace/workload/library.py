"""Find workloads: those that come with ktrace by name, any other by its path."""

from __future__ import annotations

import fnmatch
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ktrace.errors import UsageError
from ktrace.own_files import not_whole, own_files
from ktrace.suggest import did_you_mean
from ktrace.workload.parser import parse_script
from ktrace.workload.script import Script

SUFFIX = ".kt"
STDIN = "-"

SIZE_LIMIT = 64 << 20
"""Bytes of a script: what is read from a device may have no end."""


def directory() -> Path:
    """Return where the bundled workloads lie.

    :raises HostError: ktrace was installed without them
    """
    place = own_files() / "traces"
    if not any(place.glob("*" + SUFFIX)):
        raise not_whole("all workloads are")
    return place


def bundled() -> tuple[str, ...]:
    """Return the names of the bundled workloads."""
    return tuple(sorted(path.stem for path in directory().glob("*" + SUFFIX)))


def load(name: str) -> Script:
    """Return a workload.

    :param name: of a bundled one, or the path of a script: with a slash, or ending in ``.kt``; ``-`` reads the script
        from standard input
    :raises UsageError: there is none; the hint has close matches
    :raises ScriptError: the script is wrong
    """
    if name == STDIN:
        return _script(sys.stdin.buffer.read(SIZE_LIMIT + 1) if sys.stdin is not None else b"", "stdin", "stdin")
    if "/" in name or name.endswith(SUFFIX):
        return read(Path(name))
    known = bundled()
    if name not in known:
        hint = did_you_mean(name, known, "ktrace run --list shows them; a path needs a slash")
        raise UsageError(f"unknown workload {name!r}", hint)
    return read(directory() / (name + SUFFIX))


def chosen(asked: Iterable[str], words: str = "") -> tuple[str, ...]:
    """Return the workloads that *asked* names: as they are, or those bundled ones that a pattern (``pipe-*``) fits.

    :param words: bundled ones that have this in their name, too
    :raises UsageError: none fits
    """
    found: dict[str, None] = {}
    for name in asked:
        if "/" in name or not set(name) & set("*?["):
            found[name] = None
            continue
        fitting = fnmatch.filter(bundled(), name)
        if not fitting:
            raise UsageError(f"no workload fits {name!r}", "see: ktrace run --list")
        found.update(dict.fromkeys(fitting))
    if words:
        fitting = [name for name in bundled() if words in name]
        if not fitting:
            raise UsageError(f"no workload has {words!r} in its name", "see: ktrace run --list")
        found.update(dict.fromkeys(fitting))
    return tuple(found)


def read(path: Path) -> Script:
    """Return the script in a file; one without a name of its own is called like the file.

    :raises UsageError: the file cannot be read
    :raises ScriptError: it holds no script
    """
    try:
        with path.open("rb") as file:
            data = file.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise UsageError(f"cannot read {str(path)!r}: {error.strerror}") from None
    return _script(data, path.name, path.stem)


def _script(data: bytes, source: str, name: str) -> Script:
    if len(data) > SIZE_LIMIT:
        raise UsageError(f"cannot read {source!r}: it has more than {SIZE_LIMIT} bytes")
    try:
        text = data.decode("utf-8-sig")  # some editors begin a file with a byte order mark
    except UnicodeDecodeError:
        raise UsageError(f"cannot read {source!r}: not a text in UTF-8") from None
    script = parse_script(text.replace("\r\n", "\n"), source)
    return script if script.name else replace(script, name=name)


def titles() -> dict[str, str]:
    """Return the bundled workloads' titles by name."""
    return {name: load(name).title for name in bundled()}
