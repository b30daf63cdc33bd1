"""Shared memory segments and their contents."""

from __future__ import annotations

from collections.abc import Mapping

from ktrace.state.ipc.namespace import KernIpcPerm
from ktrace.state.quick import dataclass
from ktrace.state.ref import Ref


@dataclass(frozen=True, slots=True)
class ShmFile:
    """The file behind a segment.

    :param i_size: bytes
    :param i_ino: the inode number, which is the segment's id
    :param vm_noreserve: VM_NORESERVE in the inode's flags (SHM_NORESERVE was asked for)
    :param nrpages: pages in its page cache
    :param pages: contents of each page that is present, by index, without the zeros at its end
    """

    i_size: int
    i_ino: int
    vm_noreserve: bool
    nrpages: int
    pages: Mapping[int, bytes]


@dataclass(frozen=True, slots=True)
class ShmidKernel:
    """A ``struct shmid_kernel``.

    :param shm_atim: time of the last attach, 0 for never; *shm_dtim* of the last detach
    :param shm_cprid: the actor that created it; *shm_lprid* attached or detached last
    :param mlock_ucounts: on whose account it is locked: user id, and all the pages locked on that account
    :param shm_creator: the creating process, ``None`` once it is gone (``shm_clist`` empty)
    """

    shm_perm: KernIpcPerm
    shm_file: ShmFile | None
    shm_nattch: int
    shm_segsz: int
    shm_atim: int
    shm_dtim: int
    shm_ctim: int
    shm_cprid: str | None
    shm_lprid: str | None
    mlock_ucounts: tuple[int, int] | None
    shm_creator: Ref | None
    ns: Ref | None


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
