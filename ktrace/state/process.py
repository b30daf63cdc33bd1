"""Processes, their descriptor tables and open files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ktrace.state.ref import Ref


@dataclass(frozen=True, slots=True)
class ShmMapping:
    """One ``vm_area_struct`` of a System V segment in a process.

    :param start: address relative to nothing: the mapping's own ``vm_start``
    :param size: bytes
    :param segment: the ``shm`` object
    :param pgoff: offset into the segment in pages
    :param protection: such as ``rw-``
    """

    start: int
    size: int
    segment: Ref
    pgoff: int
    protection: str


@dataclass(frozen=True, slots=True)
class Process:
    """One actor's ``task_struct``, as far as IPC goes.

    :param pid: in the initial pid namespace
    :param files: its ``files_struct``, kind ``fdtable``; ``None`` once it exits
    :param euid: effective user id; also *uid*, *egid*, *gid*
    :param ipc_ns: ``nsproxy->ipc_ns``, kind ``ipc_ns``
    :param undo_list: ``sysvsem.undo_list``, kind ``undo_list``
    :param mappings: System V segments by address
    :param shm_clist: segments that it created, the latest first
    """

    name: str
    pid: int
    files: Ref | None
    uid: int
    gid: int
    euid: int
    egid: int
    ipc_ns: Ref | None = None
    undo_list: Ref | None = None
    mappings: tuple[ShmMapping, ...] = ()
    shm_clist: tuple[Ref, ...] = ()


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


@dataclass(frozen=True, slots=True)
class User:
    """A ``user_struct``: what all processes of one user have taken together.

    :param pipe_bufs: pages of pipe rings (``user_struct.pipe_bufs``)
    """

    pipe_bufs: int


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


def flag_names(value: int, names: Mapping[int, str]) -> tuple[str, ...]:
    """Name the bits of *value*, sorted; what has no name is one number in hex."""
    if not value:
        return ()
    # Vocabularies are constants of their modules: which one it is says enough.
    known = _NAMED.get((value, id(names)))
    if known is None:
        known = _NAMED[value, id(names)] = _flag_names(value, names)
    return known


_NAMED: dict[tuple[int, int], tuple[str, ...]] = {}


def _flag_names(value: int, names: Mapping[int, str]) -> tuple[str, ...]:
    found = sorted(name for bit, name in names.items() if value & bit)
    if rest := value & ~sum(bit for bit in names if value & bit):
        found.append(f"{rest:#x}")
    return tuple(found)
