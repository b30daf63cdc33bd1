"""Where a kernel's functions are in its source, from its debug information; no guest is needed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import drgn

_KERNEL_TEXT = (0xFFFFFFFF80000000, 0xFFFFFFFFC0000000)
"""Where x86-64 links and maps its kernel (``Documentation/x86/x86_64/mm.rst``)."""


def places(vmlinux: Path, functions: Iterable[str]) -> dict[str, str]:
    """Return ``file:line`` of each of *functions* that *vmlinux* has.

    :param vmlinux: the kernel with DWARF
    """
    program = drgn.Program(drgn.Platform(drgn.Architecture.X86_64))
    module = program.extra_module("vmlinux", create=True)
    module.address_ranges = [_KERNEL_TEXT]
    module.try_file(str(vmlinux), force=True)
    found = {}
    for name in functions:
        try:
            location = program.source_location(program.symbol(name).address)
        except LookupError:
            continue
        # The last is the function itself; before it come those inlined at its very beginning.
        outermost = location[-1]
        if outermost.filename:
            found[name] = f"{outermost.filename}:{outermost.line}"
    return found
