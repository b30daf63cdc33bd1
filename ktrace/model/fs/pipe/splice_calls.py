"""splice, tee, vmsplice and sendfile (``fs/splice.c``, ``fs/read_write.c: do_sendfile()``)."""

from __future__ import annotations

from typing import Any

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.include.linux.fs import FMODE_READ, FMODE_WRITE, MAX_LFS_FILESIZE
from ktrace.include.linux.limits import SIZE_MAX
from ktrace.include.linux.pipe_fs_i import PIPE_BUF_FLAG_GIFT
from ktrace.model.calls import Answer, syscall
from ktrace.model.fs.file import File, fdget
from ktrace.model.fs.pipe.copy_splice import copy_splice_read
from ktrace.model.fs.pipe.pipe import PipeBuffer, PipeInode
from ktrace.model.fs.pipe.pipe_ops import PipeFileOperations
from ktrace.model.fs.pipe.program_pages import identify_pages
from ktrace.model.fs.pipe.splice import (
    SPLICE_F_ALL,
    SpliceDesc,
    ipipe_prep,
    iter_file_splice_write,
    link_pipe,
    opipe_prep,
    splice_from_pipe,
    splice_pipe_to_pipe,
    wait_for_space,
    wakeup_pipe_readers,
)
from ktrace.model.fs.read_write import check_area
from ktrace.model.mm.iov import Destination, import_destination, import_pages
from ktrace.model.task import Errno, Task
from ktrace.model.wait import Sleeps, drive
from ktrace.state.call import Pointer, Result
from ktrace.uapi.fcntl import O_APPEND, O_DIRECT, O_NOATIME, O_NONBLOCK
from ktrace.uapi.splice import SPLICE_F_GIFT, SPLICE_F_MORE, SPLICE_F_NONBLOCK

USER_OPS = "user_page_pipe_buf_ops"
Moved = Sleeps[tuple[int, int]]
"""How many bytes went, and the position after them."""


def get_pipe_info(file: File) -> PipeInode | None:
    """Return the pipe behind a file, unless notifications come through it (``get_pipe_info()``, for splice)."""
    if not isinstance(file.ops, PipeFileOperations):
        return None
    pipe: PipeInode = file.private
    return None if pipe.watch_queue else pipe


def _check_position(position: int, length: int) -> None:
    """``rw_verify_area()``."""
    check_area(length)
    if position < 0 or position + length > MAX_LFS_FILESIZE:
        raise Errno("EINVAL")


@syscall("splice")
def splice(task: Task, fd_in: int, off_in: Any, fd_out: int, off_out: Any, len: int, flags: int) -> Sleeps[Answer]:
    """Move data between a pipe and something else (``do_splice()``)."""
    length = len & SIZE_MAX
    if not length:
        return Result(0, None, _offsets(off_in, off_out))
    if flags & ~SPLICE_F_ALL:
        raise Errno("EINVAL")
    with fdget(task, fd_in) as source, fdget(task, fd_out) as target:
        ipipe, opipe = get_pipe_info(source), get_pipe_info(target)
        if (ipipe and off_in is not None) or (opipe and off_out is not None):
            raise Errno("ESPIPE")
        if isinstance(off_in, Pointer) or isinstance(off_out, Pointer):
            raise Errno("EFAULT")
        if not source.f_mode & FMODE_READ or not target.f_mode & FMODE_WRITE:
            raise Errno("EBADF")
        if ipipe and opipe:
            if ipipe is opipe:
                raise Errno("EINVAL")
            nonblock = bool(_splice_flags(source, flags) & SPLICE_F_NONBLOCK or target.f_flags & O_NONBLOCK)
            return (yield from splice_pipe_to_pipe(task, ipipe, opipe, length, nonblock))
        if ipipe:
            flags = _splice_flags(source, flags)
            done, off_out = yield from _pipe_to_file(task, ipipe, target, off_out, length, flags)
        elif opipe:
            flags = _splice_flags(target, flags)
            done, off_in = yield from _file_to_pipe(task, source, off_in, opipe, length, flags)
        else:
            raise Errno("EINVAL")
    return Result(done, None, _offsets(off_in, off_out))


def _splice_flags(pipe: File, flags: int) -> int:
    return flags | SPLICE_F_NONBLOCK if pipe.f_flags & O_NONBLOCK else flags


def _offsets(off_in: Any, off_out: Any) -> dict[str, int]:
    return {
        name: value
        for name, value in (("off_in", off_in), ("off_out", off_out))
        if value is not None and not isinstance(value, Pointer)
    }


def _pipe_to_file(
    task: Task, pipe: PipeInode, out: File, offset: int | None, length: int, flags: int
) -> Sleeps[tuple[int, int | None]]:
    if offset is not None and not out.seekable:
        raise Errno("EINVAL")
    if out.f_flags & O_APPEND:
        raise Errno("EINVAL")
    position = out.pos if offset is None else offset
    _check_position(position, length)
    try:
        done, position = yield from _do_splice_from(task, pipe, out, position, length, flags)
    except Errno:
        # do_splice(): where it failed, too, whoever moved the offset meanwhile; not any more on later kernels.
        if offset is None and not task.kernel.changes.splice_failed_keeps_pos:
            out.pos = position
        raise
    if offset is None:
        out.pos = position
    return done, None if offset is None else position


def _file_to_pipe(
    task: Task, source: File, offset: int | None, pipe: PipeInode, length: int, flags: int
) -> Sleeps[tuple[int, int | None]]:
    if offset is not None and not source.seekable:
        raise Errno("EINVAL")
    position = source.pos if offset is None else offset
    kept = bool(task.kernel.changes.splice_failed_keeps_pos)
    if kept:
        _check_position(position, length)
    try:
        done, position = yield from _splice_file_to_pipe(task, source, position, pipe, length, flags)
    except Errno:
        if offset is None and not kept:
            source.pos = position
        raise
    if offset is None:
        source.pos = position
    return done, None if offset is None else position


def _splice_file_to_pipe(task: Task, source: File, position: int, pipe: PipeInode, length: int, flags: int) -> Moved:
    """``splice_file_to_pipe()``; a socket sleeps with the pipe locked."""
    kernel = task.kernel
    yield from pipe.lock(task)
    try:
        yield from wait_for_space(task, pipe, bool(flags & SPLICE_F_NONBLOCK))
        done, position = yield from _do_splice_to(task, source, position, pipe, length, flags)
    finally:
        pipe.unlock(kernel)
    if done > 0:
        wakeup_pipe_readers(kernel, pipe)
    return done, position


def _do_splice_from(task: Task, pipe: PipeInode, out: File, position: int, length: int, flags: int) -> Moved:
    """``do_splice_from()``; only a notification pipe gets here with ``pipefifo_fops``."""
    if isinstance(out.ops, PipeFileOperations):
        nonblock = bool(flags & SPLICE_F_NONBLOCK)
        return (yield from iter_file_splice_write(task, pipe, out, position, length, nonblock))
    return (yield from drive(out.ops.splice_write(task, pipe, out, position, length, flags)))


def _do_splice_to(task: Task, source: File, position: int, pipe: PipeInode, length: int, flags: int) -> Moved:
    """``do_splice_to()``, ``do_splice_read()``, which reads a file with O_DIRECT into pages of the pipe's own."""
    if not source.f_mode & FMODE_READ:
        raise Errno("EBADF")
    length = min(length, (pipe.max_usage - pipe.occupancy()) * PAGE_SIZE)
    _check_position(position, length)
    if source.f_flags & O_DIRECT and task.kernel.changes.splice_to_socket:
        return (yield from copy_splice_read(task, source, position, pipe, length))
    return (yield from drive(source.ops.splice_read(task, source, position, pipe, length, flags)))


@syscall("tee")
def tee(task: Task, fd_in: int, fd_out: int, len: int, flags: int) -> Sleeps[int]:
    """Show one pipe's data to another as well (``do_tee()``)."""
    length = len & SIZE_MAX
    if flags & ~SPLICE_F_ALL:
        raise Errno("EINVAL")
    if not length:
        return 0
    with fdget(task, fd_in) as source, fdget(task, fd_out) as target:
        if not source.f_mode & FMODE_READ or not target.f_mode & FMODE_WRITE:
            raise Errno("EBADF")
        ipipe, opipe = get_pipe_info(source), get_pipe_info(target)
        if ipipe is None or opipe is None or ipipe is opipe:
            raise Errno("EINVAL")
        nonblock = bool(flags & SPLICE_F_NONBLOCK or (source.f_flags | target.f_flags) & O_NONBLOCK)
        yield from ipipe_prep(task, ipipe, nonblock)
        yield from opipe_prep(task, opipe, nonblock)
        return (yield from link_pipe(task, ipipe, opipe, length))


@syscall("vmsplice")
def vmsplice(task: Task, fd: int, iov: Any, flags: int, nr_segs: int) -> Sleeps[int]:
    """Put one's own pages into a pipe, or copy a pipe into one's memory (``fs/splice.c``: vmsplice)."""
    kernel = task.kernel
    if flags & ~SPLICE_F_ALL:
        raise Errno("EINVAL")
    with fdget(task, fd) as file:
        if not file.f_mode & (FMODE_READ | FMODE_WRITE):
            raise Errno("EBADF")
        to = import_destination(task, iov, nr_segs)
        if not to.count:
            return 0
        pipe = get_pipe_info(file)
        if pipe is None:
            raise Errno("EBADF")
        if not file.f_mode & FMODE_WRITE:
            return (yield from _vmsplice_to_user(task, pipe, to, flags))
        yield from pipe.lock(task)
        try:
            yield from wait_for_space(task, pipe, bool(flags & SPLICE_F_NONBLOCK))
            done = _iter_to_pipe(task, pipe, iov, nr_segs, PIPE_BUF_FLAG_GIFT if flags & SPLICE_F_GIFT else 0)
        finally:
            pipe.unlock(kernel)
        if done > 0:
            wakeup_pipe_readers(kernel, pipe)
        return done


def _vmsplice_to_user(task: Task, pipe: PipeInode, to: Destination, flags: int) -> Sleeps[int]:
    """``vmsplice_to_user()``, ``pipe_to_user()``."""

    def pipe_to_user(buf: PipeBuffer, size: int) -> int:
        assert buf.page is not None
        if to.copy_page(buf.page.data, buf.offset, size) < size:
            raise Errno("EFAULT")
        return size

    sd = SpliceDesc(to.count, bool(flags & SPLICE_F_NONBLOCK))
    return (yield from splice_from_pipe(task, pipe, sd, pipe_to_user))


def _iter_to_pipe(task: Task, pipe: PipeInode, iov: Any, nr_segs: int, flags: int) -> int:
    """Add page after page of the caller's memory until the pipe is full (``iter_to_pipe()``, ``add_to_pipe()``)."""
    done = 0
    error = ""
    slots: list[int] = []
    for page, offset, size in import_pages(task, iov, nr_segs):
        if page is None:
            error = "EFAULT"
            break
        if pipe.full():
            error = "EAGAIN"
            break
        page.get()
        slots.append(pipe.head & pipe.ring_size - 1)
        buf = pipe.push()
        buf.page, buf.offset, buf.len, buf.ops, buf.flags, buf.private = page, offset, size, USER_OPS, flags, 0
        done += size
    if task.program is not None:
        opened = (slot.file.private for other in task.kernel.tasks.values() for slot in other.files.slots.values())
        identify_pages(task.kernel, pipe, slots, {item for item in opened if isinstance(item, PipeInode)})
    if not done and error:
        raise Errno(error)
    return done


@syscall("sendfile")
def sendfile(task: Task, out_fd: int, in_fd: int, offset: Any, count: int) -> Sleeps[Result]:
    """Move a file's data to another file (``fs/read_write.c: do_sendfile()``)."""
    if isinstance(offset, Pointer):
        raise Errno("EFAULT")
    with fdget(task, in_fd) as source:
        if not source.f_mode & FMODE_READ:
            raise Errno("EBADF")
        if offset is not None and not source.seekable:
            raise Errno("ESPIPE")
        position = source.pos if offset is None else offset
        _check_position(position, count)
        length = check_area(count)
        with fdget(task, out_fd) as target:
            if not target.f_mode & FMODE_WRITE:
                raise Errno("EBADF")
            opipe = get_pipe_info(target)
            if opipe is not None:
                flags = _splice_flags(target, 0)
                done, position = yield from _splice_file_to_pipe(task, source, position, opipe, length, flags)
            else:
                done, position, after = yield from splice_direct(task, source, position, target, target.pos, length)
                if done:
                    target.pos = after
        if done and offset is None:
            source.pos = position
    return Result(done, None, {} if offset is None else {"offset": position})


def splice_direct(
    task: Task, source: File, position: int, target: File, out_position: int, length: int
) -> Sleeps[tuple[int, int, int]]:
    """Move the data through a pipe that the process keeps for this (``splice_direct_to_actor()``).

    :returns: how many bytes went, and both positions after them
    """
    _check_position(out_position, length)
    if target.f_flags & O_APPEND or not source.ops.has_llseek:
        raise Errno("EINVAL")
    pipe = _internal_pipe(task)
    if pipe is None:
        raise Errno("ENOMEM")
    done = 0
    error = ""
    try:
        while length:
            read, after = yield from _do_splice_to(task, source, position, pipe, length, 0)
            if not read:
                if done:
                    target.ops.splice_eof(task, target)
                break
            more = SPLICE_F_MORE if read < length else 0
            written, out_position = yield from _do_splice_from(task, pipe, target, out_position, read, more)
            if not written:
                break
            done += written
            length -= written
            position = after if written == read else position + written
            if written < read:
                break
    except Errno as found:
        error = found.name
    for buf in pipe.bufs:
        if buf.ops is not None:
            pipe.release(buf)
    pipe.head = pipe.tail = 0
    if source.inode is not None and not source.f_flags & O_NOATIME:
        source.inode.accessed(task.kernel)
    if not done and error:
        raise Errno(error)
    return done, position, out_position


def _internal_pipe(task: Task) -> PipeInode | None:
    pipe = task.splice_pipe
    if pipe is None:
        pipe = task.kernel.pipes.alloc_pipe_info(task)
        if pipe is not None:
            pipe.readers = 1
            task.splice_pipe = pipe
    return pipe
