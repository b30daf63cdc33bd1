"""Open files, and the tables of descriptors that hold them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from ktrace.state.names import flag_names
from ktrace.state.quick import dataclass
from ktrace.state.ref import Ref
from ktrace.uapi import fcntl
from ktrace.uapi.named import by_number, numbers


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


OPEN_FLAGS = by_number(
    numbers(
        fcntl,
        "O_CREAT O_EXCL O_NOCTTY O_TRUNC O_APPEND O_NONBLOCK O_DSYNC FASYNC O_DIRECT O_LARGEFILE O_DIRECTORY "
        "O_NOFOLLOW O_NOATIME O_CLOEXEC O_PATH",
    )
) | {fcntl.O_SYNC & ~fcntl.O_DSYNC: "__O_SYNC", fcntl.O_TMPFILE & ~fcntl.O_DIRECTORY: "__O_TMPFILE"}
"""Names of the bits of ``f_flags``."""


@lru_cache(1 << 10)
def open_flags(value: int) -> tuple[str, ...]:
    """Name the bits of ``f_flags``, sorted, without the access mode."""
    return flag_names(value & ~fcntl.O_ACCMODE, OPEN_FLAGS)
