"""Calls on an actor's own memory: store and load, munmap, mprotect, mmap (``mm/mmap.c``)."""

from __future__ import annotations

from ktrace.include.asm.page_types import PAGE_SHIFT, PAGE_SIZE
from ktrace.include.linux.fs import FMODE_READ, FMODE_WRITE, MAX_LFS_FILESIZE
from ktrace.include.linux.limits import U64_MAX
from ktrace.include.linux.types import u64
from ktrace.model.calls import syscall
from ktrace.model.fs.file import File, file_inode
from ktrace.model.fs.opaque import OpaqueOperations
from ktrace.model.fs.shmem import file_accessed
from ktrace.model.mm.address_space import MEMORY, PROT_ANY, AddressSpace, Backing, PrivateMemory, Vma, page_align
from ktrace.model.mm.file_mapping import FileMapping, PrivateFileMapping, join, meets_its_like, populate
from ktrace.model.task import AsObserved, Errno, Task
from ktrace.model.unsimulated import UNSIMULATED
from ktrace.state.call import Result
from ktrace.uapi.fcntl import F_SEAL_FUTURE_WRITE, F_SEAL_WRITE, O_PATH
from ktrace.uapi.mman import (
    MAP_32BIT,
    MAP_ANONYMOUS,
    MAP_DENYWRITE,
    MAP_EXECUTABLE,
    MAP_FIXED,
    MAP_FIXED_NOREPLACE,
    MAP_GROWSDOWN,
    MAP_HUGE_1GB,
    MAP_HUGE_2MB,
    MAP_HUGETLB,
    MAP_LOCKED,
    MAP_NONBLOCK,
    MAP_NORESERVE,
    MAP_POPULATE,
    MAP_PRIVATE,
    MAP_SHARED,
    MAP_SHARED_VALIDATE,
    MAP_STACK,
    MAP_TYPE,
    MAP_UNINITIALIZED,
    PROT_EXEC,
    PROT_GROWSDOWN,
    PROT_GROWSUP,
    PROT_SEM,
    PROT_WRITE,
)
from ktrace.uapi.stat import S_IFMT, S_IFREG, S_IFSOCK

LEGACY_MAP_MASK = (
    MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_DENYWRITE | MAP_EXECUTABLE | MAP_UNINITIALIZED
    | MAP_GROWSDOWN | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB | MAP_32BIT
    | MAP_HUGE_2MB | MAP_HUGE_1GB
)  # fmt: skip
"""``include/linux/mman.h``."""


def _map_file(task: Task, file: File, size: int, prot: int, flags: int, pgoff: int) -> tuple[Backing, bool]:
    """Return what is behind a mapping of *file*, and whether it may ever be written (``do_mmap()``).

    :raises Errno: EOVERFLOW, EOPNOTSUPP, EACCES, ENODEV, EINVAL, EPERM
    :raises NotImplementedError: a file that can be mapped but is not simulated
    """
    kernel, kind = task.kernel, flags & MAP_TYPE
    type_ = file.inode.i_mode & S_IFMT if file.inode is not None else 0
    regular = type_ == S_IFREG
    if pgoff > (MAX_LFS_FILESIZE if type_ in (S_IFREG, S_IFSOCK) else U64_MAX) - size >> PAGE_SHIFT:
        raise Errno("EOVERFLOW")  # file_mmap_ok()
    may_write = True
    shared = kind in (MAP_SHARED, MAP_SHARED_VALIDATE)
    if kind == MAP_SHARED_VALIDATE and flags & ~LEGACY_MAP_MASK:
        raise Errno("EOPNOTSUPP")
    if shared and not file.f_mode & FMODE_WRITE:
        if prot & PROT_WRITE:
            raise Errno("EACCES")
        may_write = False
    if not shared and kind != MAP_PRIVATE:
        raise Errno("EINVAL")
    if not file.f_mode & FMODE_READ:
        raise Errno("EACCES")
    if not file.ops.maps:
        raise Errno("ENODEV")
    if isinstance(file.ops, OpaqueOperations):
        if task.mm.known or kernel.choose(UNSIMULATED, lambda seen: seen.errno(task), lambda _: True, None):
            raise AsObserved(file.ops.what, only_errors=True)
        return PrivateFileMapping(kernel, file), may_write  # of which no more than that it holds the file is known
    if prot & PROT_EXEC and file.dentry is not None and task.mm.known:
        raise NotImplementedError("the model does not know whether files of a file system may be executed (MS_NOEXEC)")
    if flags & MAP_GROWSDOWN:
        raise Errno("EINVAL")
    if file.ops.maps_zeros:
        return _anonymous(task, size) if shared else PrivateFileMapping(kernel, file), may_write
    if type_ == S_IFSOCK and not task.mm.known:
        return PrivateFileMapping(kernel, file), may_write  # tcp_mmap(): nothing is there until it is received into
    if not file.ops.maps_pages or not regular:
        return Backing(), may_write  # which mmap() of the file says no to
    inode = file_inode(file)
    sealed = inode.seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)
    if not shared:
        return PrivateFileMapping(kernel, file), may_write
    if sealed and not prot & PROT_WRITE:
        may_write = False  # is_readonly_sealed()
    if may_write and inode.seals & F_SEAL_WRITE:
        raise Errno("EPERM")  # mapping_map_writable()
    return FileMapping(kernel, file, may_write), may_write


def _anonymous(task: Task, size: int) -> Backing:
    """Return memory to share that is no file's (``shmem_zero_setup()``)."""
    backing = Backing()
    backing.most = size // PAGE_SIZE
    return backing


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


def _border_moves(task: Task, mm: AddressSpace, vma: Vma, start: int, end: int, prot: int) -> bool:
    """Give a part of *vma* to a neighbour that it becomes like: nobody is told (``vma_merge_existing_range()``).

    What has something to be told when it goes is not given away whole (``can_merge_remove_vma()``).
    """
    if not (task.kernel.changes.vma_longer_with_close and vma.backing.has_close) or end - start == vma.end - vma.start:
        return False
    pages = (end - start) // PAGE_SIZE
    for other in mm.vmas:
        if other.backing is not vma.backing or (other.prot, other.may_write) != (prot, vma.may_write):
            continue
        if other.end == start == vma.start and other.pgoff + (other.end - other.start) // PAGE_SIZE == vma.pgoff:
            other.end = vma.start = end
            vma.pgoff += pages
            return True
        if other.start == end == vma.end and vma.pgoff + (vma.end - vma.start) // PAGE_SIZE == other.pgoff:
            other.start = vma.end = start
            other.pgoff -= pages
            return True
    return False


@syscall("mprotect")
def mprotect(task: Task, addr: int, len: int, prot: int) -> int:
    """Change what may be done with a range (``mm/mprotect.c: do_mprotect_pkey()``)."""
    mm = task.mm
    addr, length = u64(addr), page_align(u64(len))
    grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP)
    prot &= ~(PROT_GROWSDOWN | PROT_GROWSUP)
    if grows == PROT_GROWSDOWN | PROT_GROWSUP or addr & (PAGE_SIZE - 1):
        raise Errno("EINVAL")
    if not u64(len):
        return 0
    end = addr + length
    if not length & U64_MAX or end >> 64:
        raise Errno("ENOMEM")
    if prot & ~(PROT_ANY | PROT_SEM):
        raise Errno("EINVAL")  # arch_validate_prot()
    prot &= PROT_ANY
    if not mm.known and not mm.covers(addr, end):
        raise AsObserved(MEMORY)
    vma = mm.find_vma(addr)
    if grows and vma is not None and vma.start < end and (grows == PROT_GROWSDOWN or vma.start <= addr):
        raise Errno("EINVAL")  # but the stack, which no script knows the place of
    if vma is None or vma.start > addr:
        raise Errno("ENOMEM")
    while addr < end:
        vma = mm.find_vma(addr)
        if vma is None or vma.start > addr:
            raise Errno("ENOMEM")
        if prot & PROT_WRITE and not vma.may_write:
            raise Errno("EACCES")
        upto = min(vma.end, end)
        if vma.prot != prot and not _border_moves(task, mm, vma, addr, upto, prot):  # mprotect_fixup()
            if vma.start < addr:
                vma = mm.split(task, vma, addr)
            if vma.end > upto:
                mm.split(task, vma, upto)
            vma.prot = prot
            vma = join(task, mm, vma)
        addr = upto
    return 0


@syscall("mmap")
def mmap(task: Task, addr: int, length: int, prot: int, flags: int, fd: int, offset: int) -> int:
    """Map memory, anonymous or a file's (``ksys_mmap_pgoff()``, ``do_mmap()``, ``mmap_region()``).

    :raises Errno: EINVAL, EEXIST, EPERM, ENOMEM; EBADF for a bad descriptor, and what :func:`_map_file` says
    :raises NotImplementedError: huge pages, growing stacks, and where addresses below 2 GiB are looked for
    """
    mm = task.mm
    addr, size = u64(addr), page_align(u64(length))
    if u64(offset) & (PAGE_SIZE - 1):
        raise Errno("EINVAL")
    pgoff = u64(offset) >> PAGE_SHIFT
    file: File | None = None
    if not flags & MAP_ANONYMOUS:
        file = task.files.get(fd)
        if file.f_flags & O_PATH:
            raise Errno("EBADF")
    if flags & MAP_HUGETLB:
        if file is None and mm.facts.hugetlb:
            raise NotImplementedError("the model does not know huge pages")
        raise Errno("EINVAL")
    if not u64(length):
        raise Errno("EINVAL")
    if not size & U64_MAX:
        raise Errno("ENOMEM")
    fixed = bool(flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))
    if not fixed and addr:
        # round_hint_to_min()
        addr = max(addr & ~(PAGE_SIZE - 1), mm.facts.mmap_min_addr)
    if not fixed and flags & MAP_32BIT:
        raise NotImplementedError("the model does not know where MAP_32BIT looks for room")
    addr = mm.get_unmapped_area(task, addr, size, fixed)
    if flags & MAP_FIXED_NOREPLACE and mm.is_taken(task, addr, addr + size, "EEXIST"):
        raise Errno("EEXIST")
    if flags & MAP_LOCKED and not task.cred.capable("CAP_IPC_LOCK"):
        raise NotImplementedError("the model does not know how much memory one may lock (RLIMIT_MEMLOCK)")
    kind = flags & MAP_TYPE
    backing: Backing
    may_write = True
    if file is not None:
        backing, may_write = _map_file(task, file, size, prot, flags, pgoff)
    elif kind == MAP_SHARED:
        if flags & MAP_GROWSDOWN:
            raise Errno("EINVAL")
        backing, pgoff = _anonymous(task, size), 0
    elif kind == MAP_PRIVATE:
        if flags & MAP_GROWSDOWN:
            raise NotImplementedError("the model does not know memory that grows downwards")
        backing, pgoff = PrivateMemory(anonymous=True), 0
    else:
        raise Errno("EINVAL")
    mm.make_room(task, addr, addr + size)
    if file is None and kind == MAP_PRIVATE and not mm.known:
        return addr  # memory of a program's own, as it has more of
    vma = Vma(addr, addr + size, prot & PROT_ANY, backing, pgoff, may_write)
    if file is not None and not meets_its_like(mm, vma):
        # __mmap_region(): the file hears of it (call_mmap()) only where no mapping beside it is made longer.
        if isinstance(backing, FileMapping) and prot & PROT_WRITE and backing.inode.seals & F_SEAL_FUTURE_WRITE:
            raise Errno("EPERM")  # seal_check_write(): what was there is gone
        file.ops.mmap(task, file, prot)
        if file.ops.maps_pages:
            file_accessed(task.kernel, file)  # shmem_mmap()
    elif file is not None and file.ops.maps_pages and task.kernel.changes.shmem_mmap_prepare:
        file_accessed(task.kernel, file)  # call_mmap_prepare() comes before vma_merge_new_range()
    if isinstance(backing, (FileMapping, PrivateFileMapping)):
        backing.open(task)
    mm.insert(vma)
    if isinstance(backing, (FileMapping, PrivateFileMapping)):
        if flags & MAP_LOCKED or flags & (MAP_POPULATE | MAP_NONBLOCK) == MAP_POPULATE:
            populate(vma)
        join(task, mm, vma)
    return addr
