"""msync and madvise: writing shared memory back, and giving its pages away (``mm/msync.c``, ``mm/madvise.c``)."""

from __future__ import annotations

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.include.linux.types import u64
from ktrace.model.calls import syscall
from ktrace.model.fs.shmem import punch_hole
from ktrace.model.mm.address_space import MEMORY, AddressSpace, PrivateMemory, Vma, page_align
from ktrace.model.mm.file_mapping import FileMapping
from ktrace.model.task import AsObserved, Errno, Task
from ktrace.uapi.mman import (
    MADV_COLD,
    MADV_DODUMP,
    MADV_DONTDUMP,
    MADV_DONTNEED,
    MADV_FREE,
    MADV_HUGEPAGE,
    MADV_MERGEABLE,
    MADV_NOHUGEPAGE,
    MADV_NORMAL,
    MADV_PAGEOUT,
    MADV_POPULATE_READ,
    MADV_POPULATE_WRITE,
    MADV_RANDOM,
    MADV_REMOVE,
    MADV_SEQUENTIAL,
    MADV_UNMERGEABLE,
    MADV_WILLNEED,
    MS_ASYNC,
    MS_INVALIDATE,
    MS_SYNC,
)

POPULATES = (MADV_POPULATE_READ, MADV_POPULATE_WRITE)
HINTS = (
    MADV_NORMAL,
    MADV_RANDOM,
    MADV_SEQUENTIAL,
    MADV_FREE,
    MADV_MERGEABLE,
    MADV_UNMERGEABLE,
    MADV_HUGEPAGE,
    MADV_NOHUGEPAGE,
    MADV_DONTDUMP,
    MADV_DODUMP,
    MADV_COLD,
    MADV_PAGEOUT,
)
"""Advice that leaves a mapping what it is to others (``madvise_vma_behavior()``)."""


@syscall("msync")
def msync(task: Task, addr: int, length: int, flags: int) -> int:
    """Write what is shared back to its file; there is none behind these (``shm_fsync()``, ``noop_fsync()``)."""
    start, size = u64(addr), u64(page_align(u64(length)))
    if flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) or start & (PAGE_SIZE - 1):
        raise Errno("EINVAL")
    if flags & MS_ASYNC and flags & MS_SYNC:
        raise Errno("EINVAL")
    if task.mm.is_unknown(start, start + size):
        raise AsObserved(MEMORY)
    if start + size >> 64 or _holes(task.mm, start, start + size):
        raise Errno("ENOMEM")
    return 0


@syscall("madvise")
def madvise(task: Task, addr: int, length: int, advice: int) -> int:
    """Give pages away (``do_madvise()``, ``madvise_walk_vmas()``).

    :raises NotImplementedError: another advice than MADV_WILLNEED, MADV_DONTNEED and MADV_REMOVE
    """
    start, size = u64(addr), u64(page_align(u64(length)))
    if task.mm.is_unknown(start, start + size):
        raise AsObserved(MEMORY)
    if advice not in (MADV_WILLNEED, MADV_DONTNEED, MADV_REMOVE):
        whole = all(start <= vma.start and vma.end <= start + size for vma in task.mm.intersecting(start, start + size))
        if not task.mm.known and (advice in POPULATES or (advice in HINTS and whole)):
            raise AsObserved(MEMORY)  # it changes no more than what a program may at any time, and splits no mapping
        raise NotImplementedError(f"the model knows nothing of madvise advice {advice}")
    if start & (PAGE_SIZE - 1) or (u64(length) and not size) or start + size >> 64:
        raise Errno("EINVAL")
    mm = task.mm
    end = start + size
    if (
        advice == MADV_WILLNEED
        and not mm.facts.swap
        and any(isinstance(vma.backing, PrivateMemory) and vma.backing.anonymous for vma in mm.intersecting(start, end))
    ):
        raise Errno("EBADF")  # madvise_willneed()
    for vma in mm.intersecting(start, end):
        first = vma.pgoff + (max(vma.start, start) - vma.start) // PAGE_SIZE
        count = (min(vma.end, end) - max(vma.start, start)) // PAGE_SIZE
        if advice == MADV_REMOVE:
            _remove(vma, first, count)
        elif advice == MADV_DONTNEED and isinstance(vma.backing, PrivateMemory):
            vma.backing.drop(first, first + count)
    if _holes(mm, start, end):
        raise Errno("ENOMEM")
    return 0


def _remove(vma: Vma, first: int, count: int) -> None:
    """Punch a hole into what is behind a mapping (``madvise_remove()``, ``shm_fallocate()``).

    :raises Errno: EINVAL for memory without a file, EACCES where it can never be written (``vma_is_shared_maywrite()``)
    """
    if isinstance(vma.backing, PrivateMemory):
        raise Errno("EINVAL" if vma.backing.anonymous else "EACCES")
    if not vma.may_write:
        raise Errno("EACCES")
    if isinstance(vma.backing, FileMapping):
        punch_hole(vma.backing.kernel, vma.backing.inode, first, first + count)
        return
    pages = vma.backing.pages
    for index in [index for index in pages if first <= index < first + count]:
        del pages[index]


def _holes(mm: AddressSpace, start: int, end: int) -> bool:
    """Tell whether a range has addresses at which nothing is mapped."""
    return sum(min(vma.end, end) - max(vma.start, start) for vma in mm.intersecting(start, end)) < end - start
