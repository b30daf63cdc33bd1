"""What a kernel has by name, told from its file alone: members that kernels may lack, and functions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import drgn

from ktrace.errors import UsageError
from ktrace.inspect.members import MissingMember, find_member, type_of
from ktrace.inspect.optional import OPTIONAL

_CLONED = re.compile(r"\.(?:cold|constprop|isra|part|llvm)\b.*")


@dataclass(frozen=True)
class KernelNames:
    """Names in one kernel.

    :param members: those of ``OPTIONAL`` that it has
    :param functions: its symbols, without what gcc appends to them
    """

    members: frozenset[str]
    functions: frozenset[str]


def read_names(vmlinux: Path) -> KernelNames:
    """Read the names in a kernel's file with debug information.

    :raises UsageError: it has none
    """
    prog = types_of(vmlinux)
    members = set()
    for name in OPTIONAL:
        structure, _, path = name.partition(".")
        try:
            if find_member(type_of(prog, structure), path) is not None:
                members.add(name)
        except MissingMember:
            continue
    return KernelNames(frozenset(members), frozenset(_CLONED.sub("", symbol.name) for symbol in prog.symbols()))


def types_of(vmlinux: Path) -> drgn.Program:
    """Return a program that has a kernel's types and symbols, and no memory.

    :raises UsageError: the file has no debug information
    """
    prog = drgn.Program(drgn.Platform(drgn.Architecture.X86_64))
    module = prog.extra_module("vmlinux", create=True)
    module.try_file(str(vmlinux), force=True)
    if module.wants_debug_file():
        raise UsageError(f"{str(vmlinux)!r} has no debug information")
    return prog
