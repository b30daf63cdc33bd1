"""mremap: growing, shrinking, moving and duplicating mappings (``mm/mremap.c``)."""

from __future__ import annotations

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.include.linux.types import u64
from ktrace.model.calls import syscall
from ktrace.model.mm.address_space import MEMORY, AddressSpace, PrivateMemory, Vma, page_align
from ktrace.model.mm.file_mapping import join
from ktrace.model.task import AsObserved, Errno, Task
from ktrace.uapi.mman import MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE


@syscall("mremap")
def mremap(task: Task, old_address: int, old_size: int, new_size: int, flags: int, new_address: int) -> int:
    """Change a mapping (``SYSCALL_DEFINE5(mremap)``).

    :raises NotImplementedError: the mapping is one of the kernel's own (vvar, vdso)
    """
    addr, new_addr = u64(old_address), u64(new_address)
    if flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP):
        raise Errno("EINVAL")
    if flags & MREMAP_FIXED and not flags & MREMAP_MAYMOVE:
        raise Errno("EINVAL")
    if flags & MREMAP_DONTUNMAP and (not flags & MREMAP_MAYMOVE or u64(old_size) != u64(new_size)):
        raise Errno("EINVAL")
    old_len, new_len = u64(page_align(u64(old_size))), u64(page_align(u64(new_size)))
    if addr & (PAGE_SIZE - 1) or not new_len:
        raise Errno("EINVAL")
    mm = task.mm
    if mm.is_unknown(addr, addr + max(old_len, 1)):
        raise AsObserved(MEMORY)
    vma = _lookup(mm, addr)
    if vma.special:
        raise NotImplementedError("the model knows nothing of mremap of vvar and vdso")
    _join(mm, vma)
    if flags & (MREMAP_FIXED | MREMAP_DONTUNMAP):
        return _mremap_to(task, mm, addr, old_len, new_addr, new_len, flags)
    if old_len >= new_len:
        if old_len > new_len:
            _munmap(task, mm, addr + new_len, old_len - new_len)
        return addr
    vma = _vma_to_resize(task, mm, addr, old_len, new_len)
    if old_len == vma.end - addr and _expandable(task, mm, vma, new_len - old_len):
        vma.end = addr + new_len
        join(task, mm, vma)
        return addr
    if not flags & MREMAP_MAYMOVE:
        raise Errno("ENOMEM")
    new_addr = mm.get_unmapped_area(task, 0, new_len, fixed=False)
    return _move_vma(task, mm, vma, addr, old_len, new_addr, new_len, flags)


def _lookup(mm: AddressSpace, addr: int) -> Vma:
    """Return the mapping at *addr* (``vma_lookup()``)."""
    vma = mm.find_vma(addr)
    if vma is None or vma.start > addr:
        raise Errno("EFAULT")
    return vma


def _munmap(task: Task, mm: AddressSpace, start: int, length: int) -> None:
    """Unmap a range of whole pages (``do_munmap()``)."""
    if start > mm.facts.task_size or length > mm.facts.task_size - start:
        raise Errno("EINVAL")
    mm.unmap(task, start, start + length)


def _vma_to_resize(task: Task, mm: AddressSpace, addr: int, old_len: int, new_len: int) -> Vma:
    """Return the mapping that all of the old range is in (``vma_to_resize()``)."""
    vma = _lookup(mm, addr)
    if not old_len and isinstance(vma.backing, PrivateMemory):
        raise Errno("EINVAL")
    if old_len > vma.end - addr:
        raise Errno("EFAULT")
    mm.may_expand(task, new_len - old_len)
    return vma


def _join(mm: AddressSpace, vma: Vma) -> None:
    """Make one mapping of an anonymous one and those behind it, as the kernel has it (``vma_merge()``)."""
    while _is_anonymous(vma):
        after = mm.find_vma(vma.end)
        if after is None or after.start != vma.end or after.prot != vma.prot or not _is_anonymous(after):
            return
        shift = vma.pgoff + (after.start - vma.start) // PAGE_SIZE - after.pgoff
        if shift or after.backing is not vma.backing:
            last = after.pgoff + (after.end - after.start) // PAGE_SIZE
            for index in [index for index in after.backing.pages if after.pgoff <= index < last]:
                vma.backing.pages[index + shift] = after.backing.pages.pop(index)
        mm.vmas.remove(after)
        vma.end = after.end


def _is_anonymous(vma: Vma) -> bool:
    return isinstance(vma.backing, PrivateMemory) and vma.backing.anonymous


def _expandable(task: Task, mm: AddressSpace, vma: Vma, delta: int) -> bool:
    """Tell whether what lies behind a mapping is free (``vma_expandable()``)."""
    end = vma.end + delta
    if mm.intersecting(vma.end, end):
        return False
    try:
        mm.get_unmapped_area(task, vma.start, end - vma.start, fixed=True)
    except Errno:
        return False
    return True


def _mremap_to(task: Task, mm: AddressSpace, addr: int, old_len: int, new_addr: int, new_len: int, flags: int) -> int:
    """Move to a given place, clearing it first (``mremap_to()``)."""
    task_size = mm.facts.task_size
    if new_addr & (PAGE_SIZE - 1) or new_len > task_size or new_addr > task_size - new_len:
        raise Errno("EINVAL")
    if addr + old_len > new_addr and new_addr + new_len > addr:
        raise Errno("EINVAL")
    if flags & MREMAP_FIXED:
        _munmap(task, mm, new_addr, new_len)
    if old_len > new_len:
        _munmap(task, mm, addr + new_len, old_len - new_len)
        old_len = new_len
    vma = _vma_to_resize(task, mm, addr, old_len, new_len)
    if flags & MREMAP_DONTUNMAP:
        mm.may_expand(task, old_len)
    new_addr = mm.get_unmapped_area(task, new_addr, new_len, fixed=bool(flags & MREMAP_FIXED))
    return _move_vma(task, mm, vma, addr, old_len, new_addr, new_len, flags)


def _lengthened(mm: AddressSpace, vma: Vma, start: int, end: int, pgoff: int) -> bool:
    """Make a neighbour longer instead of a new mapping, which nobody is told of (``vma_merge_new_range()``).

    One that has something to be told when it goes is not removed: both neighbours do not become one
    (``can_merge_remove_vma()``).
    """
    for other in mm.vmas:
        if other.backing is not vma.backing or (other.prot, other.may_write) != (vma.prot, vma.may_write):
            continue
        if other.end == start and other.pgoff + (other.end - other.start) // PAGE_SIZE == pgoff:
            other.end = end
            return True
        if other.start == end and pgoff + (end - start) // PAGE_SIZE == other.pgoff:
            other.start, other.pgoff = start, pgoff
            return True
    return False


def _move_vma(
    task: Task,
    mm: AddressSpace,
    vma: Vma,
    addr: int,
    old_len: int,
    new_addr: int,
    new_len: int,
    flags: int,
) -> int:
    """Make the new mapping, then take the old one away (``move_vma()``, ``copy_vma()``).

    An old length of 0 leaves the old one there: that is how mappings are duplicated.
    """
    pgoff = vma.pgoff + (addr - vma.start) // PAGE_SIZE
    merges = task.kernel.changes.vma_longer_with_close and vma.backing.has_close
    if merges and _lengthened(mm, vma, new_addr, new_addr + new_len, pgoff):
        if old_len and not flags & MREMAP_DONTUNMAP:
            mm.unmap(task, addr, addr + old_len)
        return new_addr
    if isinstance(vma.backing, PrivateMemory):
        # move_page_tables(): the pages go along.
        moved = vma.backing.moved()
        for index in [index for index in vma.backing.pages if pgoff <= index < pgoff + old_len // PAGE_SIZE]:
            moved.pages[index] = vma.backing.pages.pop(index)
        moved.open(task)
        new = Vma(new_addr, new_addr + new_len, vma.prot, moved, pgoff, vma.may_write)
    else:
        vma.backing.open(task)
        new = Vma(new_addr, new_addr + new_len, vma.prot, vma.backing, pgoff, vma.may_write)
    mm.insert(new)
    if old_len and not flags & MREMAP_DONTUNMAP:
        mm.unmap(task, addr, addr + old_len)
    join(task, mm, new)
    return new_addr
