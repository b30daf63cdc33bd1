"""Memory that is a file's: its pages, or copies of them (``mm/memory.c``, ``mm/shmem.c``)."""

from __future__ import annotations

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.model.fs.file import File, file_inode, fput
from ktrace.model.fs.inode import MKWRITE, Inode, since
from ktrace.model.fs.shmem import page_of
from ktrace.model.kernel import Kernel
from ktrace.model.mm.address_space import ZERO_PAGE, AddressSpace, Backing, PrivateMemory, Vma, page_align
from ktrace.model.task import Task
from ktrace.uapi.mman import PROT_WRITE


class FileMapping(Backing):
    """Pages of a file, shared with whoever reads, writes or maps it (``shmem_vm_ops``).

    :param may_write: it can be written, now or after mprotect (VM_SHARED, VM_MAYWRITE): counted in ``i_mmap_writable``
    """

    def __init__(self, kernel: Kernel, file: File, may_write: bool) -> None:
        super().__init__()
        self.kernel, self.file, self.may_write = kernel, file, may_write

    @property
    def inode(self) -> Inode:
        """Return the file's inode."""
        return file_inode(self.file)

    @property
    def limit(self) -> int | None:
        """Return how many pages the file has now: what is behind them is SIGBUS (``shmem_fault()``)."""
        return page_align(self.inode.i_size) // PAGE_SIZE

    def page(self, index: int, write: bool) -> bytearray:
        """Return a page of the file, made of zeros where it is a hole (``shmem_fault()``)."""
        inode = self.inode
        if write:
            inode.i_mtime = inode.i_mtime.then(since(MKWRITE, inode.i_mtime, self.kernel))
            inode.i_ctime = inode.i_ctime.then(since(MKWRITE, inode.i_ctime, self.kernel))
        return page_of(self.kernel, inode, index).data

    def open(self, task: Task) -> None:
        """Hold the file (``get_file()`` in ``dup_mmap()``, ``__split_vma()``)."""
        self.file.count += 1
        self.inode.mappings += 1
        self.inode.i_mmap_writable += self.may_write
        self.inode.faulted = self.inode.faulted or not task.mm.known
        self.inode.in_program = self.inode.in_program or (self.may_write and not task.mm.known)

    def close(self, task: Task) -> None:
        """Let go of the file (``remove_vma()``)."""
        self.inode.mappings -= 1
        self.inode.i_mmap_writable -= self.may_write
        fput(task, self.file)

    def joins(self, other: Backing) -> bool:
        """Tell whether mappings of both are one where they meet (``is_mergeable_vma()``)."""
        return type(other) is FileMapping and other.file is self.file and other.may_write == self.may_write


class PrivateFileMapping(PrivateMemory):
    """Pages of a file until they are written: then copies (``do_cow_fault()``, ``wp_page_copy()``).

    :param file: a regular one, or /dev/zero, which has no pages (``mmap_zero()``)
    """

    def __init__(self, kernel: Kernel, file: File) -> None:
        super().__init__()
        self.kernel, self.file = kernel, file
        inode = file_inode(file)
        self.inode: Inode | None = inode if file.ops.maps_pages else None

    @property
    def limit(self) -> int | None:
        """Return how many pages the file has now."""
        return None if self.inode is None else page_align(self.inode.i_size) // PAGE_SIZE

    def below(self, index: int) -> bytearray:
        """Return the page of the file (``shmem_fault()``)."""
        return ZERO_PAGE if self.inode is None else page_of(self.kernel, self.inode, index).data

    def moved(self) -> PrivateMemory:
        """Return the same without a copy."""
        return PrivateFileMapping(self.kernel, self.file)

    def open(self, task: Task) -> None:
        """Hold the file."""
        self.file.count += 1
        if self.inode is not None:
            self.inode.mappings += 1
            self.inode.copies.append(self)
            self.inode.faulted = self.inode.faulted or not task.mm.known

    def close(self, task: Task) -> None:
        """Let go of the file."""
        if self.inode is not None:
            self.inode.mappings -= 1
            self.inode.copies.remove(self)
        fput(task, self.file)

    def joins(self, other: Backing) -> bool:
        """Tell whether mappings of both are one where they meet.

        :raises NotImplementedError: both have copies of their own (``is_mergeable_anon_vma()``)
        """
        if type(other) is not PrivateFileMapping or other.file is not self.file:
            return False
        if other is not self and self.pages and other.pages:
            raise NotImplementedError("the model does not know whether private mappings of a file that meet become one")
        return True


def join(task: Task, mm: AddressSpace, vma: Vma) -> Vma:
    """Make one mapping of *vma* and those of the same file that meet it (``vma_merge()``), and return it."""
    before = mm.before(vma)
    if before is not None and _meet(before, vma):
        vma = _joined(task, mm, before, vma)
    after = mm.find_vma(vma.end)
    if after is not None and _meet(vma, after):
        _joined(task, mm, vma, after)
    return vma


def meets_its_like(mm: AddressSpace, vma: Vma) -> bool:
    """Tell whether a mapping beside the room for *vma* becomes longer instead (``can_vma_merge_after()``)."""
    first = next((below for below in reversed(mm.vmas) if below.end <= vma.start), None)
    after = mm.find_vma(vma.end)
    return (first is not None and _meet(first, vma)) or (after is not None and _meet(vma, after))


def _joined(task: Task, mm: AddressSpace, first: Vma, after: Vma) -> Vma:
    if after.backing is not first.backing:
        first.backing.pages.update(after.backing.pages)
    mm.vmas.remove(after)
    first.end = after.end
    after.backing.close(task)
    return first


def _meet(first: Vma, after: Vma) -> bool:
    if first.end != after.start or first.prot != after.prot or first.may_write != after.may_write:
        return False
    if first.pgoff + (first.end - first.start) // PAGE_SIZE != after.pgoff:
        return False
    return isinstance(first.backing, (FileMapping, PrivateFileMapping)) and first.backing.joins(after.backing)


def populate(vma: Vma) -> None:
    """Have all pages of a mapping there at once (``mm/gup.c: populate_vma_page_range()``)."""
    last = vma.pgoff + (vma.end - vma.start) // PAGE_SIZE
    if vma.backing.limit is not None:
        last = min(last, vma.backing.limit)
    writes = isinstance(vma.backing, PrivateMemory) and bool(vma.prot & PROT_WRITE)
    for index in range(vma.pgoff, last):
        vma.backing.page(index, writes)
