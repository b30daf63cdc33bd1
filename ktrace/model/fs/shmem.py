"""Regular files of tmpfs, as far as descriptors and splice need them (``mm/shmem.c``, ``fs/libfs.c``)."""

from __future__ import annotations

from typing import Any

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.include.linux.fs import MAX_LFS_FILESIZE
from ktrace.include.linux.types import s64
from ktrace.model.fs.file import File, FileOperations, file_inode
from ktrace.model.fs.inode import Inode
from ktrace.model.fs.pipe.pipe import DEFAULT_OPS, PAGE_CACHE_OPS, ZERO_OPS, PipeInode, push_page
from ktrace.model.fs.pipe.splice import iter_file_splice_write
from ktrace.model.fs.size import generic_write_checks, inode_newsize_ok
from ktrace.model.fs.written_pages import is_written, read_written
from ktrace.model.kernel import Kernel
from ktrace.model.mm.address_space import page_align
from ktrace.model.mm.iov import Destination, Source
from ktrace.model.mm.page import FileData, Page, lru_references
from ktrace.model.task import Errno, Task
from ktrace.model.timer import HZ, schedule_timeout
from ktrace.model.wait import MaySleep, Sleeps
from ktrace.state.allowed import Between
from ktrace.uapi.fcntl import (
    F_ADD_SEALS,
    F_GET_SEALS,
    F_SEAL_FUTURE_WRITE,
    F_SEAL_GROW,
    F_SEAL_SEAL,
    F_SEAL_SHRINK,
    F_SEAL_WRITE,
    O_NOATIME,
)
from ktrace.uapi.fs import SEEK_CUR, SEEK_DATA, SEEK_HOLE, SEEK_SET
from ktrace.uapi.splice import SPLICE_F_NONBLOCK

LATENCIES = [(HZ << scan) // 200 for scan in range(1, 5)]
"""Jiffies between two scans for pages that are held (LAST_SCAN of them)."""

F_ALL_SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE


class FilePage(Page):
    """One page of a file in the page cache; a pipe may hold it, too, and processes may have it mapped.

    :param key: its raw identity
    :param batched: batches on their way to LRU lists count, too
    """

    def __init__(self, key: int, inode: Inode, batched: bool) -> None:
        self.batched = batched
        data = FileData(PAGE_SIZE)
        super().__init__(key, 1, data)
        data.page = self
        self.inode = inode

    @property
    def of_program(self) -> bool:
        """Tell whether a program may write to it at any time."""
        return self.inode.in_program

    def references(self) -> int | Between:
        """Return ``page_count()``: the cache's own, pipes', and perhaps one for each mapping."""
        return lru_references(self.count, self.batched, self.lent, self.inode.mappings)


def page_of(kernel: Kernel, inode: Inode, index: int) -> Page:
    """Return page *index* of a file, made of zeros if it is a hole (``shmem_get_folio()``)."""
    page = inode.i_pages.get(index)
    if page is None:
        inode.i_pages[index] = page = FilePage(kernel.serial(), inode, kernel.pipes.batched)
    return page


def _page_for(task: Task, inode: Inode, index: int, pipe: PipeInode) -> Page | None:
    """Return the page that is to come into *pipe*; ``None`` for a hole."""
    if inode.in_program and is_written(task, pipe):
        return page_of(task.kernel, inode, index)
    return inode.i_pages.get(index)


def truncate_inode(task: Task, inode: Inode, size: int, touch: bool) -> None:
    """Give a file another size (``shmem_setattr()``): pages past the end go, the last one is zeroed from there.

    :param touch: change the times even where the size stays (ATTR_MTIME, ATTR_CTIME of ftruncate and O_TRUNC)
    :raises Errno: EFBIG, or EPERM where a seal forbids it
    """
    kernel = task.kernel
    inode_newsize_ok(task, inode, size)
    forbidding = F_SEAL_SHRINK if size < inode.i_size else F_SEAL_GROW if size > inode.i_size else 0
    if inode.seals & forbidding:
        raise Errno("EPERM")
    pages = inode.i_pages
    cuts = size <= inode.i_size and bool(pages)  # info->alloced: shmem_truncate_range(), even where the size stays
    if touch or cuts or size != inode.i_size:
        inode.changed(kernel)
    if cuts:
        for index in [index for index in pages if index * PAGE_SIZE >= size]:
            pages.pop(index).put()
        if size % PAGE_SIZE and size // PAGE_SIZE in pages:
            start = size % PAGE_SIZE
            pages[size // PAGE_SIZE].data[start:] = bytes(PAGE_SIZE - start)
        for copies in inode.copies:  # unmap_mapping_range() with even_cows
            copies.drop(page_align(size) // PAGE_SIZE, MAX_LFS_FILESIZE)
    inode.i_size = size


def punch_hole(kernel: Kernel, inode: Inode, first: int, last: int) -> None:
    """Give the pages from *first* up to *last*, which is not included, away (``shmem_fallocate()``).

    :raises Errno: EPERM where a seal forbids it
    """
    if inode.seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE):
        raise Errno("EPERM")
    for index in [index for index in inode.i_pages if first <= index < last]:
        inode.i_pages.pop(index).put()
    inode.changed(kernel)  # shmem_undo_range(): i_ctime = i_mtime


def _append_zeros(kernel: Kernel, pipe: PipeInode, size: int, room: int) -> tuple[int, int]:
    """Add zeros, first to what the last page has room for (``lib/iov_iter.c: pipe_zero()``, ``append_pipe()``)."""
    put = 0
    while put < size:
        if room:
            chunk = min(room, size - put)
            pipe.slot(pipe.head - 1).len += chunk
            room -= chunk
        elif pipe.full():
            break
        else:
            chunk = min(PAGE_SIZE, size - put)
            push_page(pipe, Page(kernel.serial(), 0), DEFAULT_OPS, 0, chunk)
            room = PAGE_SIZE - chunk
        put += chunk
    return put, room


def _shmem_file_splice_read(task: Task, file: File, position: int, pipe: PipeInode, length: int) -> tuple[int, int]:
    """Share the file's pages, and the zero page for its holes, with a pipe (``shmem_file_splice_read()``)."""
    kernel = task.kernel
    inode = file_inode(file)
    done = 0
    while length and position < inode.i_size and not pipe.full():
        start = position % PAGE_SIZE
        size = min(PAGE_SIZE - start, inode.i_size - position, length)
        page = _page_for(task, inode, position // PAGE_SIZE, pipe)
        if page is not None:
            push_page(pipe, page, PAGE_CACHE_OPS, start, size)
        else:
            buf, zeros = pipe.push(), kernel.mm.zero_page
            buf.page, buf.offset, buf.len, buf.ops, buf.flags, buf.private = zeros, start, size, ZERO_OPS, 0, 0
        done += size
        position += size
        length -= size
    file_accessed(kernel, file)
    return done, position


def file_accessed(kernel: Kernel, file: File) -> None:
    """Note that a file was read (``file_accessed()``)."""
    if not file.f_flags & O_NOATIME:
        file_inode(file).accessed(kernel)


def _seek_hole_data(inode: Inode, start: int, data: bool) -> int:
    """Return where the next page, or the next hole, begins (``mm/filemap.c: mapping_seek_hole_data()``)."""
    end = inode.i_size
    if start < 0 or end <= start:
        raise Errno("ENXIO")
    pages = inode.i_pages
    while start < end and (start // PAGE_SIZE in pages) != data:
        start = (start // PAGE_SIZE + 1) * PAGE_SIZE
    if data and start >= end:
        raise Errno("ENXIO")
    return min(start, end)


def _memfd_add_seals(task: Task, file: File, seals: int) -> Sleeps[int]:
    """Forbid some changes from now on (``mm/memfd.c: memfd_add_seals()``)."""
    inode = file_inode(file)
    if seals & ~F_ALL_SEALS:
        raise Errno("EINVAL")
    if inode.seals & F_SEAL_SEAL:
        raise Errno("EPERM")
    if seals & F_SEAL_WRITE and not inode.seals & F_SEAL_WRITE:
        if inode.i_mmap_writable:
            raise Errno("EBUSY")  # mapping_deny_writable()
        yield from _memfd_wait_for_pins(task, inode)
    inode.seals |= seals
    return 0


def _memfd_wait_for_pins(task: Task, inode: Inode) -> Sleeps[None]:
    """Wait a little until nobody else, such as a pipe, holds a page (``mm/memfd.c: memfd_wait_for_pins()``).

    :raises Errno: EBUSY
    """
    pinned = [page for page in inode.i_pages.values() if page.count != 1]
    task.killable = True
    try:
        for jiffies in LATENCIES:
            if not pinned:
                return
            yield from schedule_timeout(task, jiffies / HZ)
            pinned = [page for page in pinned if page.count != 1]
    finally:
        task.killable = False
    if pinned:
        raise Errno("EBUSY")


def _take_written(task: Task, inode: Inode, position: int) -> None:
    for at, part in read_written(task, inode, position).items():
        page = inode.i_pages.get(at // PAGE_SIZE)
        if page is None and any(part):
            page = page_of(task.kernel, inode, at // PAGE_SIZE)
        if page is not None:
            page.data[at % PAGE_SIZE : at % PAGE_SIZE + len(part)] = part


class ShmemFileOperations(FileOperations):
    """``shmem_file_operations``."""

    name = "shmem_file_operations"
    maps = maps_pages = True

    def open(self, task: Task, inode: Inode, file: File) -> None:
        """Nothing to do (``generic_file_open()``)."""

    def fsync(self, task: Task, file: File) -> int:
        """Nothing to do: its pages are all there is of it (``noop_fsync()``)."""
        return 0

    def read_iter(self, task: Task, file: File, to: Destination) -> int:
        """Read up to the end of the file (``shmem_file_read_iter()``).

        What a program has written to its mapping is as observed.
        """
        kernel = task.kernel
        inode = file_inode(file)
        if inode.in_program:
            _take_written(task, inode, file.pos)
        done = 0
        while to.count and file.pos < inode.i_size:
            start = file.pos % PAGE_SIZE
            size = min(PAGE_SIZE - start, inode.i_size - file.pos, to.count)
            pages = inode.i_pages
            page = pages.get(file.pos // PAGE_SIZE)
            data = bytes(page.data[start : start + size]) if page is not None else bytes(size)
            copied = to.copy(data)
            done += copied
            file.pos += copied
            if copied < size:
                if not done:
                    file_accessed(kernel, file)
                    raise Errno("EFAULT")
                break
        file_accessed(kernel, file)
        return done

    def write_iter(self, task: Task, file: File, source: Source) -> int:
        """Write at the offset, or at the end with O_APPEND (``generic_file_write_iter()``).

        :raises Errno: EFBIG, EFAULT, or EPERM where a seal forbids it
        """
        if not source.count:
            return 0
        position = file.pos
        try:
            return self._write(task, file, source)
        except Errno:
            file.pos = position
            raise

    def _write(self, task: Task, file: File, source: Source) -> int:
        kernel = task.kernel
        inode = file_inode(file)
        generic_write_checks(task, file, source)
        inode.changed(kernel)  # __generic_file_write_iter(): file_update_time() comes first
        done = 0
        while source.count:
            start = file.pos % PAGE_SIZE
            bad = source.is_exhausted()
            if bad and not kernel.changes.write_faults_late:
                if not done:
                    raise Errno("EFAULT")
                break
            grows = file.pos + min(PAGE_SIZE - start, source.count) > inode.i_size
            if inode.seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE | (F_SEAL_GROW if grows else 0)):
                if not done:  # shmem_write_begin()
                    raise Errno("EPERM")
                break
            page = page_of(kernel, inode, file.pos // PAGE_SIZE)
            if bad:
                if not done:
                    raise Errno("EFAULT")
                break
            copied = source.copy_into(page.data, start, min(PAGE_SIZE - start, source.count))
            file.pos += copied
            done += copied
            inode.i_size = max(inode.i_size, file.pos)
        return done

    def splice_read(
        self, task: Task, file: File, position: int, pipe: PipeInode, length: int, flags: int
    ) -> tuple[int, int]:
        """Put pages of the file into a pipe (``generic_file_splice_read()``, ``shmem_file_read_iter()``).

        What the file has is shared with it; a hole becomes pages of zeros that are the pipe's own, on later kernels
        the zero page, cut where pages end (``shmem_file_splice_read()``, ``splice_zeropage_into_pipe()``).
        """
        kernel = task.kernel
        if kernel.changes.splice_zero_pages:
            return _shmem_file_splice_read(task, file, position, pipe, length)
        inode = file_inode(file)
        done = room = 0
        while length and position < inode.i_size:
            start = position % PAGE_SIZE
            size = min(PAGE_SIZE - start, inode.i_size - position, length)
            page = _page_for(task, inode, position // PAGE_SIZE, pipe)
            if page is not None:
                if pipe.full():
                    break
                push_page(pipe, page, PAGE_CACHE_OPS, start, size)
                room = 0
                put = size
            else:
                put, room = _append_zeros(kernel, pipe, size, room)
            done += put
            position += put
            length -= put
            if put < size:
                break
        file_accessed(kernel, file)
        return done, position

    def splice_write(
        self, task: Task, pipe: PipeInode, file: File, position: int, length: int, flags: int
    ) -> Sleeps[tuple[int, int]]:
        """Write a pipe's data at *position* (``iter_file_splice_write()``)."""
        nonblock = bool(flags & SPLICE_F_NONBLOCK)
        return iter_file_splice_write(task, pipe, file, position, length, nonblock)

    def fcntl(self, task: Task, file: File, cmd: int, arg: Any) -> MaySleep[int]:
        """Do F_GET_SEALS and F_ADD_SEALS (``mm/memfd.c: memfd_fcntl()``)."""
        if cmd == F_GET_SEALS:
            return file_inode(file).seals
        if cmd == F_ADD_SEALS:
            return _memfd_add_seals(task, file, arg)
        return super().fcntl(task, file, cmd, arg)

    def llseek(self, task: Task, file: File, offset: int, whence: int) -> int:
        """Move the offset (``shmem_file_llseek()``)."""
        if whence in (SEEK_DATA, SEEK_HOLE):
            file.pos = _seek_hole_data(file_inode(file), offset, whence == SEEK_DATA)
            return file.pos
        base = (0, file.pos, file_inode(file).i_size)[whence]
        if base + offset < 0 or base + offset > MAX_LFS_FILESIZE:
            raise Errno("EINVAL")
        file.pos = base + offset
        return file.pos


class DirectoryOperations(FileOperations):
    """``simple_dir_operations``."""

    name = "simple_dir_operations"

    def open(self, task: Task, inode: Inode, file: File) -> None:
        """Nothing to do that can be seen (``dcache_dir_open()``)."""

    def fsync(self, task: Task, file: File) -> int:
        """Nothing to do (``noop_fsync()``)."""
        return 0

    def llseek(self, task: Task, file: File, offset: int, whence: int) -> int:
        """Move the offset (``dcache_dir_lseek()``; since Linux 6.6 ``offset_dir_llseek()``).

        :raises Errno: EINVAL
        """
        base = {SEEK_SET: 0, SEEK_CUR: file.pos}.get(whence)
        if base is None or s64(base + offset) < 0:
            raise Errno("EINVAL")
        file.pos = base + offset
        return file.pos

    def read(self, task: Task, file: File, count: int) -> bytes:
        """Refuse (``generic_read_dir()``: EISDIR)."""
        raise Errno("EISDIR")


class OffsetDirectoryOperations(DirectoryOperations):
    """``simple_offset_dir_operations``, which tmpfs has on later kernels (``mm/shmem.c: shmem_get_inode()``)."""

    name = "simple_offset_dir_operations"


SHMEM_OPS = ShmemFileOperations()
DIRECTORY_OPS = {ops.name: ops for ops in (DirectoryOperations(), OffsetDirectoryOperations())}
"""By the symbol that the inode has."""
