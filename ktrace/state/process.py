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

    :param files: its ``files_struct``, kind ``fdtable``
    :param euid: effective user id; also *uid*, *egid*, *gid*
    :param ipc_ns: ``nsproxy->ipc_ns``, kind ``ipc_ns``
    :param undo_list: ``sysvsem.undo_list``, kind ``undo_list``
    :param mappings: System V segments by address
    """

    name: str
    files: Ref
    uid: int
    gid: int
    euid: int
    egid: int
    ipc_ns: Ref | None = None
    undo_list: Ref | None = None
    mappings: tuple[ShmMapping, ...] = ()


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One used slot of a descriptor table."""

    file: Ref
    cloexec: bool


@dataclass(frozen=True, slots=True)
class DescriptorTable:
    """A ``files_struct``: what every descriptor opens.

    :param users: how many actors share it (``files_struct.count``)
    """

    users: int
    fds: Mapping[int, Descriptor]


@dataclass(frozen=True, slots=True)
class File:
    """A ``struct file``.

    :param f_op: symbol of its ``file_operations``
    :param f_mode: FMODE_READ and FMODE_WRITE as ``r``, ``w``, ``rw``
    :param f_flags: names of the O_ flags, sorted, without the access mode
    :param f_count: references
    :param target: the pipe, socket or inode behind it
    """

    f_op: str
    f_mode: str
    f_flags: tuple[str, ...]
    f_count: int
    target: Ref
