"""Errors over memory that makes no sense, whoever falls over it."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import drgn

from ktrace.errors import GuestGarbage, KernelLacks, KtraceError
from ktrace.inspect.members import MissingMember

NONSENSE = (
    ValueError, LookupError, ArithmeticError, AttributeError, TypeError, MemoryError, struct.error, drgn.FaultError
)  # fmt: skip
"""What Python, ``struct`` and drgn raise over memory or debug information that no sane kernel has."""


class CorruptStructure(GuestGarbage):
    """A kernel structure cannot be followed: a wild pointer, an endless list, an impossible count.

    :param what: which structure and member, such as ``pipe_inode_info.bufs``; or who reads
    :param address: where it was read, a kernel virtual address; ``None``: somewhere in what is read
    """

    def __init__(self, what: str, address: int | None, why: str) -> None:
        if address is None:
            message, where = f"the kernel's memory makes no sense to {what}: {why}", "; KTRACE_TRACEBACK=1 shows where"
        else:
            message, where = f"{what} at {address:#x}: {why}", ""
        super().__init__(message, f"the kernel's memory is damaged, or vmlinux is not this kernel's{where}")
        self.what = what
        self.address = address


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn whatever falls over garbage within into one error of ours.

    :param what: whose reading it is, such as ``SocketReader``
    :raises CorruptStructure: something in :data:`NONSENSE` was raised
    :raises KernelLacks: that was drgn, which found no such member, type or variable
    """
    try:
        yield
    except NONSENSE as error:
        raise nonsense(what, error) from error


_NO_MEMBER = re.compile(r"'((?:struct|union|enum) \w+)' has no member '(\w+)'")
_NO_TYPE = re.compile(r"could not find '((?:struct|union|enum) \w+)'")
_NO_OBJECT = re.compile(r"could not find (?:(constant|variable|function|symbol) )?(?:with name )?'(\w+)'")
"""How drgn says that debug information lacks something."""


def nonsense(what: str, error: Exception) -> KtraceError:
    """Return the error that says that *what* fell over *error*, which is of :data:`NONSENSE`."""
    if (match := _NO_MEMBER.fullmatch(str(error))) or (match := _NO_TYPE.fullmatch(str(error))):
        return MissingMember(*match.groups())
    if match := _NO_OBJECT.fullmatch(str(error)):
        return KernelLacks(f"this kernel has no {match[1] or 'variable'} {match[2]!r}", "was it configured out?")
    return CorruptStructure(what, None, f"{type(error).__name__}: {error}")
