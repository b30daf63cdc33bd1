"""Shared memory segments: shmget, shmat and shmdt (``ipc/shm.c``)."""

from __future__ import annotations

from typing import Any, NoReturn

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.include.linux.fs import MAX_LFS_FILESIZE
from ktrace.include.linux.stat import S_IRUGO, S_IRWXUGO, S_IWUGO, S_IXUGO
from ktrace.include.linux.types import s32, u64
from ktrace.model.calls import syscall
from ktrace.model.ipc.ids import ktime_get_real_seconds
from ktrace.model.ipc.namespace import Namespace, ipcget, ipcperms
from ktrace.model.ipc.shm_segment import ShmAttachment, ShmidKernel, shm_destroy, shm_may_destroy
from ktrace.model.mm.address_space import AddressSpace, Vma, page_align
from ktrace.model.task import Errno, Task
from ktrace.state.ipc.shm import ShmMapping
from ktrace.uapi.mman import OVERCOMMIT_ALWAYS, OVERCOMMIT_NEVER, PROT_EXEC, PROT_READ, PROT_WRITE
from ktrace.uapi.shm import (
    SHM_EXEC,
    SHM_HUGE_MASK,
    SHM_HUGE_SHIFT,
    SHM_HUGETLB,
    SHM_NORESERVE,
    SHM_RDONLY,
    SHM_REMAP,
    SHM_RND,
)

HUGETLB_SHM_GROUP = 0
"""``sysctl_hugetlb_shm_group``, which nobody changes (``fs/hugetlbfs/inode.c``)."""


@syscall("shmget")
def shmget(task: Task, key: int, size: int, shmflg: int) -> int:
    """Find or make a segment (``ksys_shmget()``, ``newseg()``, ``shm_more_checks()``)."""
    kernel = task.kernel
    ns = kernel.ipc.namespace(task)
    key, size = s32(key), u64(size)

    def newseg() -> int:
        numpages = u64(size + PAGE_SIZE - 1) >> 12
        if size < 1 or size > ns.shm_ctlmax:
            raise Errno("EINVAL")
        if u64(numpages << 12) < size or ns.shm_tot + numpages > ns.shm_ctlall:
            raise Errno("ENOSPC")
        noreserve = _shmem_file_setup(task, ns, size, shmflg)
        shp = ShmidKernel("shm", key, shmflg & S_IRWXUGO, ns=ns, shm_segsz=size, vm_noreserve=noreserve)
        shp.shm_cprid = task.process
        shp.shm_ctim = ktime_get_real_seconds(kernel)
        ns.shm_ids.addid(shp, task.cred, ns.shm_ctlmni)
        ns.name(kernel, shp)
        shp.i_ino = shp.id
        shp.shm_creator = task
        task.shm_clist.insert(0, shp)
        ns.shm_tot += numpages
        return shp.id

    def more_checks(shp: ShmidKernel) -> None:
        if shp.shm_segsz < size:
            raise Errno("EINVAL")

    return ipcget(ns.shm_ids, task.cred, key, shmflg, newseg, more_checks)


def _refuse_huge_pages(task: Task, shmflg: int) -> NoReturn:
    """Refuse a segment of huge pages, of which there are none (``newseg()``, ``hugetlb_file_setup()``).

    :raises Errno: EINVAL where there is no such size, or CONFIG_HUGETLBFS is not set; EPERM, ENOMEM
    :raises NotImplementedError: there are huge pages, or none are to be reserved
    """
    config = task.kernel.config
    size = shmflg >> SHM_HUGE_SHIFT & SHM_HUGE_MASK
    if not config.huge_pages or (size and size not in config.huge_pages):
        raise Errno("EINVAL")  # hstate_sizelog()
    if not task.cred.capable("CAP_IPC_LOCK") and not task.cred.in_group_p(HUGETLB_SHM_GROUP):
        raise Errno("EPERM")  # can_do_hugetlb_shm()
    if config.huge_pages_free or shmflg & SHM_NORESERVE:
        raise NotImplementedError("the model does not know segments of huge pages")
    raise Errno("ENOMEM")


def _shmem_file_setup(task: Task, ns: Namespace, size: int, shmflg: int) -> bool:
    """Make the segment's file; return whether it has VM_NORESERVE (``newseg()``, ``__shmem_file_setup()``).

    :raises Errno: EINVAL, ENOMEM; EINVAL for SHM_HUGETLB where there are no huge pages
    """
    mm = ns.facts.mm
    if shmflg & SHM_HUGETLB:
        _refuse_huge_pages(task, shmflg)
    noreserve = bool(shmflg & SHM_NORESERVE) and mm.overcommit_memory != OVERCOMMIT_NEVER
    if size > MAX_LFS_FILESIZE:
        raise Errno("EINVAL")
    # shmem_acct_size(): __vm_enough_memory()
    promised = page_align(size) // PAGE_SIZE
    if not noreserve and mm.overcommit_memory != OVERCOMMIT_ALWAYS and promised > mm.totalram_pages:
        raise Errno("ENOMEM")
    return noreserve


@syscall("shmat")
def shmat(task: Task, shmid: int, shmaddr: int, shmflg: int) -> int:
    """Attach a segment (``do_shmat()``)."""
    kernel = task.kernel
    ns = kernel.ipc.namespace(task)
    shmid, addr = s32(shmid), u64(shmaddr)
    if shmid < 0:
        raise Errno("EINVAL")
    fixed = bool(addr)
    if addr:
        # SHMLBA is PAGE_SIZE on x86.
        if addr & (PAGE_SIZE - 1):
            if not shmflg & SHM_RND:
                raise Errno("EINVAL")
            addr &= ~(PAGE_SIZE - 1)
            if not addr and shmflg & SHM_REMAP:
                raise Errno("EINVAL")
    elif shmflg & SHM_REMAP:
        raise Errno("EINVAL")
    prot, acc_mode = (PROT_READ, S_IRUGO) if shmflg & SHM_RDONLY else (PROT_READ | PROT_WRITE, S_IRUGO | S_IWUGO)
    if shmflg & SHM_EXEC:
        prot |= PROT_EXEC
        acc_mode |= S_IXUGO
    shp = ns.shm_ids.obtain_object_check(shmid)
    if ipcperms(task.cred, shp, acc_mode):
        raise Errno("EACCES")

    mm = task.mm
    shp.in_program = shp.in_program or not mm.known
    shp.shm_nattch += 1
    try:
        if addr and not shmflg & SHM_REMAP:
            end = addr + shp.shm_segsz
            if end >> 64 or mm.is_taken(task, addr, end, "EINVAL"):
                raise Errno("EINVAL")
        return _do_mmap(task, mm, shp, addr, prot, fixed, writable=not shmflg & SHM_RDONLY)
    finally:
        # out_nattch: the mapping, if there is one, has counted itself.
        shp.shm_nattch -= 1
        if shm_may_destroy(shp):
            shm_destroy(kernel, shp)


def _do_mmap(
    task: Task,
    mm: AddressSpace,
    shp: ShmidKernel,
    addr: int,
    prot: int,
    fixed: bool,
    writable: bool,
) -> int:
    """Map the whole segment (``do_mmap()``, ``mmap_region()``, ``shm_mmap()``)."""
    length = page_align(shp.shm_segsz)
    addr = mm.get_unmapped_area(task, addr, length, fixed)
    mm.make_room(task, addr, addr + length)
    attachment = ShmAttachment(shp)
    attachment.open(task)
    mm.insert(Vma(addr, addr + length, prot, attachment, may_write=writable))
    return addr


@syscall("shmdt")
def shmdt(task: Task, shmaddr: int) -> int:
    """Detach what was attached at an address, in however many pieces it is by now (``ksys_shmdt()``)."""
    addr = u64(shmaddr)
    if addr & (PAGE_SIZE - 1):
        raise Errno("EINVAL")
    mm = task.mm
    later = [vma for vma in mm.vmas if vma.end > addr]
    first = next((vma for vma in later if _began_at(vma, addr)), None)
    if first is None:
        raise Errno("EINVAL")
    assert isinstance(first.backing, ShmAttachment)
    size = page_align(first.backing.segment.shm_segsz)
    mm.unmap(task, first.start, first.end)
    for vma in later[later.index(first) + 1 :]:
        if vma.end - addr > size:
            break
        if _began_at(vma, addr) and vma.backing is first.backing:
            mm.unmap(task, vma.start, vma.end)
    return 0


def _began_at(vma: Vma, addr: int) -> bool:
    """Tell whether a mapping is a piece of a segment that was attached at *addr*."""
    return isinstance(vma.backing, ShmAttachment) and u64(vma.start - addr) // PAGE_SIZE == vma.pgoff


def attached_segments(mm: AddressSpace) -> list[ShmidKernel]:
    """Return the segments that are mapped, once for each mapping."""
    return [vma.backing.segment for vma in mm.vmas if isinstance(vma.backing, ShmAttachment)]


def shm_fields(task: Task, mm: AddressSpace) -> dict[str, Any]:
    """Return what the World shows of a process's segments."""
    mappings = tuple(
        [
            ShmMapping(
                start=vma.start,
                size=vma.end - vma.start,
                segment=vma.backing.segment.ref,
                pgoff=vma.pgoff,
                protection=_protection(vma.prot),
            )
            for vma in mm.vmas
            if isinstance(vma.backing, ShmAttachment)
        ]
    )
    return {"mappings": mappings, "shm_clist": tuple([shp.ref for shp in task.shm_clist])}


def _protection(prot: int) -> str:
    return "".join(
        letter if prot & bit else "-" for letter, bit in (("r", PROT_READ), ("w", PROT_WRITE), ("x", PROT_EXEC))
    )
