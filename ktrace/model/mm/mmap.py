"""Calls on an actor's own memory: store and load, munmap, mprotect, anonymous mmap (``mm/mmap.c``)."""

from __future__ import annotations

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.include.linux.fs import FMODE_READ, FMODE_WRITE
from ktrace.include.linux.types import u64
from ktrace.model.calls import syscall
from ktrace.model.fs.file import File
from ktrace.model.mm.address_space import PROT_ANY, Backing, PrivateMemory, Vma, page_align
from ktrace.model.task import Errno, Task
from ktrace.state.call import Result
from ktrace.uapi.fcntl import O_PATH
from ktrace.uapi.mman import (
    MAP_ANONYMOUS,
    MAP_FIXED,
    MAP_FIXED_NOREPLACE,
    MAP_PRIVATE,
    MAP_SHARED,
    MAP_SHARED_VALIDATE,
    MAP_TYPE,
    PROT_WRITE,
)


def can_map(file: File, kind: int, prot: int) -> None:
    """Refuse what no address space takes (``do_mmap()``).

    :raises Errno: EACCES, ENODEV, EINVAL
    :raises NotImplementedError: a file that can be mapped
    """
    if kind not in (MAP_SHARED, MAP_PRIVATE, MAP_SHARED_VALIDATE):
        raise Errno("EINVAL")
    if kind != MAP_PRIVATE and prot & PROT_WRITE and not file.f_mode & FMODE_WRITE:
        raise Errno("EACCES")
    if not file.f_mode & FMODE_READ:
        raise Errno("EACCES")
    if file.ops.maps:
        raise NotImplementedError("the model does not know memory that is a file's")
    raise Errno("ENODEV")


@syscall("store")
def store(task: Task, addr: int, data: bytes) -> int:
    """Write the actor's memory by its own hand (``handle_mm_fault()``)."""
    task.mm.write(u64(addr), data)
    return 0


@syscall("load")
def load(task: Task, addr: int, length: int) -> Result:
    """Read the actor's memory by its own hand (``handle_mm_fault()``)."""
    return Result(0, None, {"buf": task.mm.read(u64(addr), length)})


@syscall("munmap")
def munmap(task: Task, addr: int, length: int) -> int:
    """Unmap a range, whatever is there (``__vm_munmap()``, ``do_mas_munmap()``)."""
    mm = task.mm
    addr, length = u64(addr), u64(length)
    task_size = mm.facts.task_size
    if addr & (PAGE_SIZE - 1) or addr > task_size or length > task_size - addr or not page_align(length):
        raise Errno("EINVAL")
    mm.unmap(task, addr, addr + page_align(length))
    return 0


@syscall("mprotect")
def mprotect(task: Task, addr: int, len: int, prot: int) -> int:
    """Change what may be done with a range (``mm/mprotect.c: do_mprotect_pkey()``)."""
    mm = task.mm
    addr, length = u64(addr), page_align(u64(len))
    if addr & (PAGE_SIZE - 1) or prot & ~PROT_ANY:
        raise Errno("EINVAL")
    if not u64(len):
        return 0
    end = addr + length
    if not length or end >> 64:
        raise Errno("ENOMEM")
    vma = mm.find_vma(addr)
    if vma is None or vma.start > addr:
        raise Errno("ENOMEM")
    while addr < end:
        vma = mm.find_vma(addr)
        if vma is None or vma.start > addr:
            raise Errno("ENOMEM")
        if prot & PROT_WRITE and not vma.may_write:
            raise Errno("EACCES")
        upto = min(vma.end, end)
        if vma.prot != prot:  # mprotect_fixup()
            if vma.start < addr:
                vma = mm.split(task, vma, addr)
            if vma.end > upto:
                mm.split(task, vma, upto)
            vma.prot = prot
        addr = upto
    return 0


@syscall("mmap")
def mmap(task: Task, addr: int, length: int, prot: int, flags: int, fd: int, offset: int) -> int:
    """Map anonymous memory (``do_mmap()``).

    :raises Errno: EINVAL, EEXIST, EPERM, ENOMEM; EBADF for a bad descriptor, ENODEV for one that cannot be mapped
    :raises NotImplementedError: a file that can
    """
    mm = task.mm
    addr, size = u64(addr), page_align(u64(length))
    if offset & (PAGE_SIZE - 1):
        raise Errno("EINVAL")
    backing: Backing
    kind = flags & MAP_TYPE
    if not flags & MAP_ANONYMOUS:
        file = task.files.get(fd)
        if file.f_flags & O_PATH:
            raise Errno("EBADF")
        can_map(file, kind, prot)
    if not u64(length):
        raise Errno("EINVAL")
    if not size:
        raise Errno("ENOMEM")
    fixed = bool(flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))
    if not fixed and addr:
        # round_hint_to_min()
        addr = max(addr & ~(PAGE_SIZE - 1), mm.facts.mmap_min_addr)
    addr = mm.get_unmapped_area(task, addr, size, fixed)
    if flags & MAP_FIXED_NOREPLACE and mm.intersecting(addr, addr + size):
        raise Errno("EEXIST")
    if kind == MAP_SHARED:
        backing = Backing()  # shmem_zero_setup()
        backing.limit = size // PAGE_SIZE
    elif kind == MAP_PRIVATE:
        backing = PrivateMemory(anonymous=True)
    else:
        raise Errno("EINVAL")
    mm.make_room(task, addr, addr + size)
    mm.insert(Vma(addr, addr + size, prot & PROT_ANY, backing))
    return addr
