"""Reading from and writing to a pipe, and what else its file does (``fs/pipe.c``)."""

from __future__ import annotations

from typing import Any

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.include.linux.fs import FMODE_READ, FMODE_WRITE
from ktrace.include.linux.pipe_fs_i import (
    PIPE_BUF_FLAG_CAN_MERGE,
    PIPE_BUF_FLAG_LOSS,
    PIPE_BUF_FLAG_PACKET,
    PIPE_BUF_FLAG_WHOLE,
)
from ktrace.include.linux.types import u32, u64
from ktrace.model.calls import Answer
from ktrace.model.fs.fasync import fasync_helper
from ktrace.model.fs.file import File, FileOperations, file_inode
from ktrace.model.fs.pipe.pipe import (
    PipeInode,
    put_pipe_info,
    signal_readers,
    signal_writers,
    wake_readers,
    wake_writers,
)
from ktrace.model.fs.pipe.pipe_size import pipe_set_size
from ktrace.model.fs.pipe.watch_queue import LOSS_NOTIFICATION, watch_queue_set_filter, watch_queue_set_size
from ktrace.model.kernel import Kernel
from ktrace.model.mm.iov import Destination, Source
from ktrace.model.mm.page import Page
from ktrace.model.task import Errno, Task
from ktrace.model.wait import Sleeps, WaitQueue, wait_event, wake_up
from ktrace.state.call import Pointer, Result
from ktrace.state.fs.pipe.pipe import ANON_OPS
from ktrace.uapi.eventpoll import EPOLLERR, EPOLLET, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDNORM, EPOLLWRNORM
from ktrace.uapi.fcntl import F_GETPIPE_SZ, F_SETPIPE_SZ, O_DIRECT, O_NOATIME, O_NONBLOCK
from ktrace.uapi.ioctls import FIONREAD
from ktrace.uapi.siginfo import SI_USER
from ktrace.uapi.watch_queue import IOC_WATCH_QUEUE_SET_FILTER, IOC_WATCH_QUEUE_SET_SIZE


class PipeFileOperations(FileOperations):
    """``pipefifo_fops``."""

    name = "pipefifo_fops"
    has_fasync = True
    keeps_times = True
    """Whether reading and writing change the inode's times (``fifo_pipe_read()``, ``fifo_pipe_write()``)."""

    def read_iter(self, task: Task, file: File, to: Destination) -> Sleeps[int]:
        """Read what is there, sleep only for the first byte (``pipe_read()``, ``anon_pipe_read()``)."""
        kernel = task.kernel
        pipe: PipeInode = file.private
        if to.count == 0:
            return 0
        ret = 0
        error = ""
        yield from pipe.mutex.lock(task)
        # Later kernels wake writers only where a slot of a full ring was freed, and none before a sleep.
        sparing = bool(kernel.changes.pipe_wakes_when_freed)
        was_full = pipe.full() and not sparing
        wake_next_reader = False
        while True:
            if pipe.note_loss:
                if to.count < len(LOSS_NOTIFICATION):
                    error = "ENOBUFS"
                    break
                if to.copy(LOSS_NOTIFICATION) < len(LOSS_NOTIFICATION):
                    error = "EFAULT"
                    break
                ret += len(LOSS_NOTIFICATION)
                pipe.note_loss = False
            if not pipe.empty():
                full, tail = pipe.full(), pipe.tail
                took, error = _read_one(pipe, to)
                was_full = was_full or (sparing and full and pipe.tail != tail)
                ret += took
                if error or to.count == 0:
                    break
                if not pipe.empty():
                    continue
            if not pipe.writers or ret:
                break
            if file.f_flags & O_NONBLOCK:
                error = "EAGAIN"
                break
            pipe.mutex.unlock(kernel)
            if not sparing:
                if was_full:
                    wake_writers(kernel, pipe)
                signal_writers(kernel, pipe)
            if (yield from wait_event(task, pipe.rd_wait, pipe.readable, exclusive=True)):
                raise Errno("ERESTARTSYS")
            yield from pipe.mutex.lock(task)
            was_full = was_full if sparing else pipe.full()
            wake_next_reader = True
        if pipe.empty():
            wake_next_reader = False
        pipe.kept.trim()
        pipe.mutex.unlock(kernel)
        if was_full:
            wake_writers(kernel, pipe)
        if wake_next_reader:
            wake_readers(kernel, pipe)
        signal_writers(kernel, pipe)
        if ret > 0 and self.keeps_times and not file.f_flags & O_NOATIME:
            file_inode(file).accessed(kernel)
        if not ret and error:
            raise Errno(error)
        return ret

    def write_iter(self, task: Task, file: File, source: Source) -> Sleeps[int]:
        """Merge into the last page if it may be, then fill pages, sleep until all is in.

        ``pipe_write()``, ``anon_pipe_write()``
        """
        kernel = task.kernel
        pipe: PipeInode = file.private
        if pipe.watch_queue:
            raise Errno("EXDEV")
        if source.count == 0:
            return 0
        ret = 0
        error = ""
        was_empty = wake_next_writer = False
        missing = pipe.kept.missing(source.count)
        own = pipe.kept.own(kernel, source.count)
        yield from pipe.mutex.lock(task)
        pipe.kept.prefill(kernel, missing)
        if not pipe.readers:
            send_sigpipe(task)
            error = "EPIPE"
        else:
            was_empty = pipe.empty()
            ret, error = _merge(pipe, source)
        while not error and source.count:
            if not pipe.readers:
                send_sigpipe(task)
                error = "EPIPE"
                break
            if not pipe.full():
                copied, error = _fill_one(kernel, pipe, file, source, own)
                ret += copied
                continue
            if file.f_flags & O_NONBLOCK:
                error = "EAGAIN"
                break
            if task.signal_pending():
                error = "ERESTARTSYS"
                break
            pipe.mutex.unlock(kernel)
            if was_empty:
                wake_readers(kernel, pipe)
            signal_readers(kernel, pipe)
            yield from wait_event(task, pipe.wr_wait, pipe.writable, exclusive=True)
            yield from pipe.mutex.lock(task)
            was_empty = pipe.empty()
            wake_next_writer = True
        pipe.kept.refill(own)
        if pipe.full():
            wake_next_writer = False
        pipe.kept.trim()
        pipe.mutex.unlock(kernel)
        if was_empty or pipe.poll_usage:
            wake_readers(kernel, pipe)
        signal_readers(kernel, pipe)
        if wake_next_writer:
            wake_writers(kernel, pipe)
        if ret > 0 and self.keeps_times:
            file_inode(file).changed(kernel)
        if not ret and error:
            raise Errno(error)
        return ret

    def poll_queues(self, task: Task, file: File) -> list[WaitQueue]:
        """Return where readers and writers wait (``pipe_poll()``)."""
        pipe: PipeInode = file.private
        queues = [pipe.rd_wait] if file.f_mode & FMODE_READ else []
        return [*queues, pipe.wr_wait] if file.f_mode & FMODE_WRITE else queues

    def poll(self, task: Task, file: File) -> int:
        """Tell what can be done without sleeping (``pipe_poll()``)."""
        pipe: PipeInode = file.private
        if not task.kernel.changes.pipe_pseudo_edgetrigger or (file.f_mode & FMODE_READ and task.poll_key & EPOLLET):
            pipe.poll_usage = True
        mask = 0
        if file.f_mode & FMODE_READ:
            if not pipe.empty():
                mask |= EPOLLIN | EPOLLRDNORM
            if not pipe.writers and file.f_version != pipe.w_counter:
                mask |= EPOLLHUP
        if file.f_mode & FMODE_WRITE:
            if not pipe.full():
                mask |= EPOLLOUT | EPOLLWRNORM
            if not pipe.readers:
                mask |= EPOLLERR
        return mask

    def ioctl(self, task: Task, file: File, cmd: int, arg: Any) -> Sleeps[Answer]:
        """Do FIONREAD and the size of a watch queue (``pipe_ioctl()``)."""
        kernel = task.kernel
        pipe: PipeInode = file.private
        if cmd == FIONREAD:
            yield from pipe.mutex.lock(task)
            pipe.mutex.unlock(kernel)
            used = range(pipe.occupancy())
            return Result(0, None, {"arg": sum(pipe.slot(pipe.tail + index).len for index in used)})
        if cmd == IOC_WATCH_QUEUE_SET_SIZE and kernel.pipes.facts.watch_queue:
            yield from pipe.mutex.lock(task)
            try:
                return watch_queue_set_size(task, pipe, arg.value if isinstance(arg, Pointer) else int(arg))
            finally:
                pipe.mutex.unlock(kernel)
        if cmd == IOC_WATCH_QUEUE_SET_FILTER and kernel.pipes.facts.watch_queue:
            return watch_queue_set_filter(task, pipe, arg)
        raise Errno("ENOTTY")

    def fcntl(self, task: Task, file: File, cmd: int, arg: Any) -> Sleeps[int]:
        """Do F_GETPIPE_SZ and F_SETPIPE_SZ (``pipe_fcntl()``)."""
        kernel = task.kernel
        pipe: PipeInode = file.private
        if cmd not in (F_SETPIPE_SZ, F_GETPIPE_SZ):
            raise Errno("EINVAL")
        yield from pipe.mutex.lock(task)
        try:
            if cmd == F_GETPIPE_SZ:
                return pipe.max_usage * PAGE_SIZE
            return pipe_set_size(task, pipe, u32(arg) if kernel.changes.pipe_size_unsigned_int else u64(arg))
        finally:
            pipe.mutex.unlock(kernel)

    def fasync(self, task: Task, fd: int, file: File, on: bool) -> Sleeps[None]:
        """Register for SIGIO at either end (``pipe_fasync()``)."""
        pipe: PipeInode = file.private
        yield from pipe.mutex.lock(task)
        if file.f_mode & FMODE_READ:
            fasync_helper(fd, file, on, pipe.fasync_readers)
        if file.f_mode & FMODE_WRITE:
            fasync_helper(fd, file, on, pipe.fasync_writers)
        pipe.mutex.unlock(task.kernel)

    def release(self, task: Task, file: File) -> Sleeps[None]:
        """Close an end and wake everybody where only one side is left (``pipe_release()``)."""
        kernel = task.kernel
        pipe: PipeInode = file.private
        yield from pipe.mutex.lock(task)
        if file.f_mode & FMODE_READ:
            pipe.readers -= 1
        if file.f_mode & FMODE_WRITE:
            pipe.writers -= 1
        if (not pipe.readers) != (not pipe.writers):
            wake_up(kernel, pipe.rd_wait, 0)
            wake_up(kernel, pipe.wr_wait, 0)
            signal_readers(kernel, pipe)
            signal_writers(kernel, pipe)
        pipe.mutex.unlock(kernel)
        put_pipe_info(kernel, pipe)


class AnonPipeFileOperations(PipeFileOperations):
    """``pipeanon_fops``, where a kernel has them."""

    name = "pipeanon_fops"
    keeps_times = False


PIPE_OPS = PipeFileOperations()
ANON_PIPE_OPS = AnonPipeFileOperations()


def anon_pipe_ops(kernel: Kernel) -> PipeFileOperations:
    """Return the file operations of anonymous pipes (``create_pipe_files()``)."""
    return ANON_PIPE_OPS if kernel.changes.pipeanon_fops else PIPE_OPS


def _read_one(pipe: PipeInode, to: Destination) -> tuple[int, str]:
    """Read from the slot at the tail; return the bytes read and the error that ends the call (``pipe_read()``)."""
    buf = pipe.slot(pipe.tail)
    chars = buf.len
    if chars > to.count:
        if buf.flags & PIPE_BUF_FLAG_WHOLE:
            return 0, "ENOBUFS"
        chars = to.count
    assert buf.page is not None
    if to.copy_page(buf.page.data, buf.offset, chars) < chars:
        return 0, "EFAULT"
    buf.offset += chars
    buf.len -= chars
    if buf.flags & PIPE_BUF_FLAG_PACKET:
        to.count = 0
        buf.len = 0
    if not buf.len:
        pipe.release(buf)
        if buf.flags & PIPE_BUF_FLAG_LOSS:
            pipe.note_loss = True
        pipe.advance_tail()
    return chars, ""


def _merge(pipe: PipeInode, source: Source) -> tuple[int, str]:
    """Append the odd bytes of a write to the last slot, if it may be merged into and has room (``pipe_write()``)."""
    chars = source.count & PAGE_SIZE - 1
    if not chars or pipe.empty():
        return 0, ""
    buf = pipe.slot(pipe.head - 1)
    offset = buf.offset + buf.len
    if not buf.flags & PIPE_BUF_FLAG_CAN_MERGE or offset + chars > PAGE_SIZE:
        return 0, ""
    data = source.copy(chars)
    assert buf.page is not None
    buf.page.data[offset : offset + len(data)] = data
    if len(data) < chars:
        return 0, "EFAULT"
    buf.len += chars
    return chars, ""


def _fill_one(kernel: Kernel, pipe: PipeInode, file: File, source: Source, own: list[Page]) -> tuple[int, str]:
    """Take the slot at the head and fill its page; it stays, empty, at a bad address (``pipe_write()``)."""
    if kernel.changes.pipe_write_whole:
        return _fill_whole(kernel, pipe, file, source, own)
    page = pipe.kept.get(kernel, own)
    buf = pipe.push()
    buf.page, buf.ops, buf.offset, buf.len = page, ANON_OPS, 0, 0
    buf.flags = PIPE_BUF_FLAG_PACKET if file.f_flags & O_DIRECT else PIPE_BUF_FLAG_CAN_MERGE
    data = source.copy(PAGE_SIZE)
    page.data[: len(data)] = data
    if len(data) < PAGE_SIZE and source.count:
        return 0, "EFAULT"
    buf.len = len(data)
    return len(data), ""


def _fill_whole(kernel: Kernel, pipe: PipeInode, file: File, source: Source, own: list[Page]) -> tuple[int, str]:
    """Fill a page and take the slot at the head for it; at a bad address, neither (``anon_pipe_write()``)."""
    page = pipe.kept.get(kernel, own)
    data = source.copy(PAGE_SIZE)
    page.data[: len(data)] = data
    if len(data) < PAGE_SIZE and source.count:
        if pipe.kept.has_room():
            pipe.kept.push(page)
        return 0, "EFAULT"
    buf = pipe.push()
    buf.page, buf.ops, buf.offset, buf.len = page, ANON_OPS, 0, len(data)
    buf.flags = PIPE_BUF_FLAG_PACKET if file.f_flags & O_DIRECT else PIPE_BUF_FLAG_CAN_MERGE
    return len(data), ""


def send_sigpipe(task: Task) -> None:
    """Send the caller a SIGPIPE in its own name (``send_sig(SIGPIPE, current, 0)``)."""
    task.kernel.send_signal(task, "SIGPIPE", sender=task, code=SI_USER, thread=True)
