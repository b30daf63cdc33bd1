"""Segments, their attachments, and when they go (``ipc/shm.c``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.model.ipc.ids import IpcObject, Time, ktime_get_real_seconds, pid_name
from ktrace.model.mm.address_space import Backing
from ktrace.model.process.user_namespace import UserNamespace
from ktrace.model.task import Task
from ktrace.state.allowed import allowed
from ktrace.state.ipc import shm as state
from ktrace.state.ref import process
from ktrace.state.rule import Rule
from ktrace.uapi.shm import SHM_DEST

if TYPE_CHECKING:
    from ktrace.model.ipc.namespace import Namespace
    from ktrace.model.kernel import Kernel
    from ktrace.model.observed import Observed


Account = tuple[UserNamespace, int]
"""A ``struct ucounts``: a user namespace, and the kernel's user id."""


WRITTEN = Rule("mm/shmem.c", "shmem_fault", "what a program writes to memory that it shares")


@dataclass(eq=False)
class ShmidKernel(IpcObject):
    """Mirror one ``struct shmid_kernel`` and its file.

    :param ns: the namespace that it is in
    :param in_program: a program has it attached, or had: what is in it is taken as observed
    :param mlock_user: whose account the locked pages are on
    """

    ns: Namespace = field(kw_only=True)
    shm_segsz: int = 0
    vm_noreserve: bool = False
    i_ino: int = 0
    shm_nattch: int = 0
    shm_atim: Time = 0
    shm_dtim: Time = 0
    shm_ctim: Time = 0
    shm_cprid: Task | None = None
    shm_lprid: Task | None = None
    shm_creator: Task | None = None
    mlock_user: Account | None = None
    pages: dict[int, bytearray] = field(default_factory=dict)
    in_program: bool = False

    def take_pages(self, kernel: Kernel) -> None:
        """Take over what a program has written, which makes no call for that."""

        def find(seen: Observed) -> Mapping[int, bytes] | None:
            found = seen.ipc("shm", self.id)
            return found[0].shm_file.pages if len(found) == 1 else None

        pages = kernel.choose(WRITTEN, find, lambda pages: all(0 <= index < self.numpages for index in pages), None)
        if pages is not None:
            self.pages = {index: bytearray(data.ljust(PAGE_SIZE, b"\0")) for index, data in pages.items()}

    @property
    def numpages(self) -> int:
        """Return how many pages the segment takes of ``shm_tot``."""
        return self.shm_segsz + PAGE_SIZE - 1 >> 12

    def observe(self, locked_shm: Mapping[Account, int]) -> state.ShmidKernel:
        """Return the value that the World holds.

        :param locked_shm: pages that are locked, by the account that pays
        """
        contents = {index: bytes(self.pages[index]).rstrip(b"\0") for index in sorted(self.pages)}
        return state.ShmidKernel(
            shm_perm=self.observe_perm(),
            shm_file=state.ShmFile(
                i_size=self.shm_segsz,
                i_ino=self.i_ino,
                vm_noreserve=self.vm_noreserve,
                nrpages=len(contents),
                pages=contents,
            ),
            shm_nattch=self.shm_nattch,
            shm_segsz=self.shm_segsz,
            shm_atim=allowed(self.shm_atim),
            shm_dtim=allowed(self.shm_dtim),
            shm_ctim=allowed(self.shm_ctim),
            shm_cprid=pid_name(self.shm_cprid),
            shm_lprid=pid_name(self.shm_lprid),
            mlock_ucounts=None if self.mlock_user is None else (self.mlock_user[1], locked_shm[self.mlock_user]),
            shm_creator=process(self.shm_creator.name) if self.shm_creator else None,
            ns=self.ns.ref,
        )


class ShmAttachment(Backing):
    """Mirror the ``struct file`` that each shmat makes, with its ``shm_file_data``."""

    has_close = True

    def __init__(self, segment: ShmidKernel) -> None:
        self.most = segment.numpages
        self.segment = segment
        self.pages = segment.pages
        self.mappings = 0
        segment.ns.count += 1

    def open(self, task: Task) -> None:
        """Count one more mapping (``__shm_open()``)."""
        shp = self.segment
        shp.shm_atim = ktime_get_real_seconds(task.kernel)
        shp.shm_lprid = task.process
        shp.shm_nattch += 1
        self.mappings += 1

    def close(self, task: Task) -> None:
        """Count one mapping less, and destroy what nobody can reach any more (``__shm_close()``)."""
        kernel = task.kernel
        shp = self.segment
        shp.shm_lprid = task.process
        shp.shm_dtim = ktime_get_real_seconds(kernel)
        shp.shm_nattch -= 1
        if shm_may_destroy(shp):
            shm_destroy(kernel, shp)
        self.mappings -= 1
        if not self.mappings:
            # The last fput(): shm_release() drops the namespace on the way back to user mode.
            task.task_works.append(lambda: kernel.ipc.put_ipc_ns(kernel, shp.ns))


def shm_clist_rm(shp: ShmidKernel) -> None:
    """Take a segment off its creator's list (``shm_clist_rm()``)."""
    if shp.shm_creator is not None:
        shp.shm_creator.shm_clist.remove(shp)
        shp.shm_creator = None


def shm_may_destroy(shp: ShmidKernel) -> bool:
    """Tell whether nobody uses the segment and it is to go (``shm_may_destroy()``)."""
    return shp.shm_nattch == 0 and bool(shp.ns.shm_rmid_forced or shp.mode & SHM_DEST)


def shm_destroy(kernel: Kernel, shp: ShmidKernel) -> None:
    """Free a segment (``shm_destroy()``, ``shm_rmid()``)."""
    shp.ns.shm_tot -= shp.numpages
    shm_clist_rm(shp)
    shp.ns.shm_ids.rmid(shp)
    user_shm_unlock(kernel, shp)
    shp.shm_cprid = shp.shm_lprid = None


def do_shm_rmid(kernel: Kernel, shp: ShmidKernel) -> None:
    """Remove a segment, or mark it to go with its last user (``do_shm_rmid()``)."""
    if shp.shm_nattch:
        shp.mode |= SHM_DEST
        shp.ns.shm_ids.set_key_private(shp)
    else:
        shm_destroy(kernel, shp)


def user_shm_unlock(kernel: Kernel, shp: ShmidKernel) -> None:
    """Give locked pages back to the account they are on (``shmem_lock()``, ``user_shm_unlock()``)."""
    if shp.mlock_user is not None:
        for account in accounts(shp.mlock_user):
            kernel.ipc.locked_shm[account] -= shp.numpages
        shp.mlock_user = None


def accounts(account: Account) -> Iterator[Account]:
    """Yield an account, that of the maker of its user namespace, and so on (``ucounts->ns->ucounts``)."""
    yield account
    ns = account[0]
    while ns.parent is not None:
        yield ns.parent, ns.owner
        ns = ns.parent


def exit_shm(task: Task) -> None:
    """Orphan the segments that *task* created, or destroy them with shm_rmid_forced (``exit_shm()``)."""
    clist = task.shm_clist
    while clist:
        shp = clist[0]
        shm_clist_rm(shp)
        if shp.ns.shm_rmid_forced and shm_may_destroy(shp):
            shm_destroy(task.kernel, shp)


def shm_destroy_orphaned(kernel: Kernel, ns: Namespace) -> None:
    """Destroy what nobody uses and whose creator is gone (``shm_destroy_orphaned()``)."""
    for shp in list(ns.shm_ids.idr.values()):
        if shp.shm_creator is None and shm_may_destroy(shp):
            shm_destroy(kernel, shp)
