"""Open files, and the tables of descriptors that hold them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ktrace.state.names import flag_names
from ktrace.state.ref import Ref


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One used slot of a descriptor table.

    :param file: what it opens, ``None`` while the call that took the slot has not finished
    """

    file: Ref | None
    cloexec: bool


@dataclass(frozen=True, slots=True)
class DescriptorTable:
    """A ``files_struct``: what every descriptor opens.

    :param users: how many actors share it (``files_struct.count``)
    :param max_fds: how many descriptors it has room for
    """

    users: int
    fds: Mapping[int, Descriptor]
    max_fds: int = 64


@dataclass(frozen=True, slots=True)
class File:
    """A ``struct file``.

    :param f_op: symbol of its ``file_operations``
    :param f_mode: FMODE_READ and FMODE_WRITE as ``r``, ``w``, ``rw``
    :param f_flags: names of the O_ flags, sorted, without the access mode
    :param f_count: references
    :param target: the pipe, socket or inode behind it
    :param f_pos: offset in bytes
    :param f_owner: who gets its SIGIO (``f_owner.pid``), ``None`` for nobody
    :param f_signum: the signal instead of SIGIO, 0 for SIGIO itself
    :param f_version: a FIFO's ``w_counter`` at a non-blocking open (``f_pipe`` since Linux 6.12); else 0
    """

    f_op: str
    f_mode: str
    f_flags: tuple[str, ...]
    f_count: int
    target: Ref
    f_pos: int = 0
    f_owner: Ref | None = None
    f_signum: int = 0
    f_version: int = 0


OPEN_FLAGS = {
    0o100: "O_CREAT",
    0o200: "O_EXCL",
    0o400: "O_NOCTTY",
    0o1000: "O_TRUNC",
    0o2000: "O_APPEND",
    0o4000: "O_NONBLOCK",
    0o10000: "O_DSYNC",
    0o20000: "FASYNC",
    0o40000: "O_DIRECT",
    0o100000: "O_LARGEFILE",
    0o200000: "O_DIRECTORY",
    0o400000: "O_NOFOLLOW",
    0o1000000: "O_NOATIME",
    0o2000000: "O_CLOEXEC",
    0o4000000: "__O_SYNC",
    0o10000000: "O_PATH",
    0o20000000: "__O_TMPFILE",
}
"""``include/uapi/asm-generic/fcntl.h``, as x86 has it."""


def open_flags(value: int) -> tuple[str, ...]:
    """Name the bits of ``f_flags``, sorted, without the access mode."""
    return flag_names(value & ~0o3, OPEN_FLAGS)
