"""Find the source lines of functions in vmlinux, without a guest."""

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
            location = program.source_location(_address(program, name))
        except (LookupError, ValueError):
            continue
        # The last is the function itself; before it come those inlined at its very beginning.
        outermost = location[-1]
        if outermost.filename:
            found[name] = f"{outermost.filename}:{outermost.line}"
    return found


def _address(program: drgn.Program, function: str) -> int:
    """Return where a function is; one that gcc has changed has a symbol of another name (``.constprop.0``).

    :raises LookupError: there is none, or it is only inlined
    """
    try:
        return int(program.symbol(function).address)
    except LookupError:
        address = program.function(function).address_
        if address is None:
            raise
        return int(address)
