"""Moving a pipe's buffers about: the engine of the splice family (``fs/splice.c``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ktrace.include.linux.pipe_fs_i import PIPE_BUF_FLAG_CAN_MERGE, PIPE_BUF_FLAG_GIFT
from ktrace.include.linux.types import u32
from ktrace.model.fs.file import File
from ktrace.model.fs.pipe.pipe import PipeBuffer, PipeInode, signal_readers, signal_writers
from ktrace.model.fs.pipe.pipe_ops import send_sigpipe
from ktrace.model.fs.read_write import do_write
from ktrace.model.kernel import Kernel
from ktrace.model.mm.iov import BufferSource, Source
from ktrace.model.task import Errno, Task
from ktrace.model.wait import MaySleep, Sleeps, drive, wait_event, wake_up
from ktrace.state.rule import Rule

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

LOCK_ORDER = Rule("fs/pipe.c", "pipe_double_lock", "in the order of addresses")
SPLICE_F_ALL = 15

Actor = Callable[[PipeBuffer, int], MaySleep[int]]
"""Take up to so many bytes out of a buffer and return how many; 0 or Errno ends the loop. It may sleep."""


def wakeup_pipe_readers(kernel: Kernel, pipe: PipeInode) -> None:
    """``wakeup_pipe_readers()``."""
    wake_up(kernel, pipe.rd_wait, 1)
    signal_readers(kernel, pipe)


def wakeup_pipe_writers(kernel: Kernel, pipe: PipeInode) -> None:
    """``wakeup_pipe_writers()``."""
    wake_up(kernel, pipe.wr_wait, 1)
    signal_writers(kernel, pipe)


def pipe_wait_readable(task: Task, pipe: PipeInode) -> Sleeps[None]:
    """``fs/pipe.c: pipe_wait_readable()``."""
    pipe.unlock(task.kernel)
    yield from wait_event(task, pipe.rd_wait, pipe.readable)
    yield from pipe.lock(task)


def pipe_wait_writable(task: Task, pipe: PipeInode) -> Sleeps[None]:
    """``fs/pipe.c: pipe_wait_writable()``."""
    pipe.unlock(task.kernel)
    yield from wait_event(task, pipe.wr_wait, pipe.writable)
    yield from pipe.lock(task)


def pipe_double_lock(task: Task, ipipe: PipeInode, opipe: PipeInode) -> Sleeps[None]:
    """Lock two pipes in the order of their addresses (``fs/pipe.c: pipe_double_lock()``).

    Which one that is shows where the second one is taken: the first one is held meanwhile.
    """
    kernel = task.kernel

    def find(seen: Observed) -> bool | None:
        """Tell whether *opipe* is locked first."""
        free = ipipe if ipipe.mutex.owner is None else opipe
        pipe = seen.pipe(free)
        return None if pipe is None else pipe.locked == (free is opipe)

    swapped = False
    if (opipe.mutex.owner is None) != (ipipe.mutex.owner is None):
        swapped = kernel.choose(LOCK_ORDER, find, lambda first: True, otherwise=False)
    first, second = (opipe, ipipe) if swapped else (ipipe, opipe)
    yield from first.lock(task)
    yield from second.lock(task)


@dataclass
class SpliceDesc:
    """Mirror a ``struct splice_desc``."""

    total_len: int
    nonblock: bool
    num_spliced: int = 0
    need_wakeup: bool = False


def splice_from_pipe(task: Task, pipe: PipeInode, sd: SpliceDesc, actor: Actor) -> Sleeps[int]:
    """Feed a pipe's data to *actor* (``splice_from_pipe()``, ``__splice_from_pipe()``)."""
    error = ""
    yield from pipe.lock(task)
    try:
        while (yield from splice_from_pipe_next(task, pipe, sd)):
            if not (yield from splice_from_pipe_feed(pipe, sd, actor)):
                break
    except Errno as found:
        error = found.name
    return splice_from_pipe_end(task.kernel, pipe, sd, error)


def splice_from_pipe_end(kernel: Kernel, pipe: PipeInode, sd: SpliceDesc, error: str) -> int:
    """Wake writers, unlock the pipe and return the bytes moved, or fail (``splice_from_pipe_end()``)."""
    if sd.need_wakeup:
        wakeup_pipe_writers(kernel, pipe)
    pipe.unlock(kernel)
    if not sd.num_spliced and error:
        raise Errno(error)
    return sd.num_spliced


def splice_from_pipe_next(task: Task, pipe: PipeInode, sd: SpliceDesc) -> Sleeps[bool]:
    """Wait for data; tell whether there is any (``splice_from_pipe_next()``)."""
    if task.signal_pending():
        raise Errno("ERESTARTSYS")
    while True:
        while pipe.empty():
            if not pipe.writers or sd.num_spliced:
                return False
            if sd.nonblock:
                raise Errno("EAGAIN")
            if task.signal_pending():
                raise Errno("ERESTARTSYS")
            if sd.need_wakeup:
                wakeup_pipe_writers(task.kernel, pipe)
                sd.need_wakeup = False
            yield from pipe_wait_readable(task, pipe)
        buf = pipe.slot(pipe.tail)
        if buf.len:
            return True
        pipe.release(buf)  # eat_empty_buffer()
        pipe.advance_tail()


def splice_from_pipe_feed(pipe: PipeInode, sd: SpliceDesc, actor: Actor) -> Sleeps[bool]:
    """Give every buffer to *actor*; tell whether more is wanted (``splice_from_pipe_feed()``)."""
    while not pipe.empty():
        buf = pipe.slot(pipe.tail)
        done = yield from drive(actor(buf, min(buf.len, sd.total_len)))
        if not done:
            return False
        buf.offset += done
        buf.len -= done
        sd.num_spliced += done
        sd.total_len -= done
        if not buf.len:
            pipe.release(buf)
            pipe.advance_tail()
            sd.need_wakeup = sd.need_wakeup or pipe.files > 0
        if not sd.total_len:
            return False
    return True


def iter_file_splice_write(
    task: Task, pipe: PipeInode, out: File, position: int, length: int, nonblock: bool
) -> Sleeps[tuple[int, int]]:
    """Write all buffers of a pipe at once to a file; return the bytes written and the position after them."""
    sd = SpliceDesc(length, nonblock)
    error = ""
    yield from pipe.lock(task)
    try:
        while sd.total_len and (yield from splice_from_pipe_next(task, pipe, sd)):
            source = BufferSource(_gather(pipe, sd.total_len))
            done, position = yield from write_at(task, out, position, source)
            if not done:
                break
            sd.num_spliced += done
            sd.total_len -= done
            _dismiss(pipe, sd, done)
    except Errno as found:
        error = found.name
    return splice_from_pipe_end(task.kernel, pipe, sd, error), position


def write_at(task: Task, out: File, position: int, source: Source) -> Sleeps[tuple[int, int]]:
    """Write at *position* and leave the file's own offset alone (``vfs_iter_write()``)."""
    kept, out.pos = out.pos, position
    try:
        done = yield from do_write(task, out, source)
        return done, out.pos
    finally:
        out.pos = kept


def _gather(pipe: PipeInode, length: int) -> list[tuple[bytearray, int, int]]:
    parts = []
    for index in range(pipe.occupancy()):
        buf = pipe.slot(pipe.tail + index)
        size = min(buf.len, length)
        if size:
            assert buf.page is not None
            parts.append((buf.page.data, buf.offset, size))
            length -= size
    return parts


def _dismiss(pipe: PipeInode, sd: SpliceDesc, done: int) -> None:
    """Release the *done* bytes that were written."""
    while done:
        buf = pipe.slot(pipe.tail)
        if done < buf.len:
            buf.offset += done
            buf.len -= done
            return
        done -= buf.len
        buf.len = 0
        pipe.release(buf)
        pipe.advance_tail()
        sd.need_wakeup = sd.need_wakeup or pipe.files > 0


def wait_for_space(task: Task, pipe: PipeInode, nonblock: bool) -> Sleeps[None]:
    """Sleep until a slot is free (``wait_for_space()``).

    :raises Errno: EPIPE, EAGAIN, ERESTARTSYS
    """
    while True:
        if not pipe.readers:
            send_sigpipe(task)
            raise Errno("EPIPE")
        if not pipe.full():
            return
        if nonblock:
            raise Errno("EAGAIN")
        if task.signal_pending():
            raise Errno("ERESTARTSYS")
        yield from pipe_wait_writable(task, pipe)


def ipipe_prep(task: Task, pipe: PipeInode, nonblock: bool) -> Sleeps[None]:
    """Sleep until there is data, or never will be (``ipipe_prep()``)."""
    if not pipe.empty():
        return
    yield from pipe.lock(task)
    try:
        while pipe.empty():
            if task.signal_pending():
                raise Errno("ERESTARTSYS")
            if not pipe.writers:
                return
            if nonblock:
                raise Errno("EAGAIN")
            yield from pipe_wait_readable(task, pipe)
    finally:
        pipe.unlock(task.kernel)


def opipe_prep(task: Task, pipe: PipeInode, nonblock: bool) -> Sleeps[None]:
    """Sleep until there is room (``opipe_prep()``)."""
    if not pipe.full():
        return
    yield from pipe.lock(task)
    try:
        while pipe.full():
            if not pipe.readers:
                send_sigpipe(task)
                raise Errno("EPIPE")
            if nonblock:
                raise Errno("EAGAIN")
            if task.signal_pending():
                raise Errno("ERESTARTSYS")
            yield from pipe_wait_writable(task, pipe)
    finally:
        pipe.unlock(task.kernel)


def copy_slot(source: PipeBuffer, target: PipeBuffer) -> None:
    """``*obuf = *ibuf``."""
    target.page, target.offset, target.len = source.page, source.offset, source.len
    target.ops, target.flags, target.private = source.ops, source.flags, source.private


def splice_pipe_to_pipe(task: Task, ipipe: PipeInode, opipe: PipeInode, length: int, nonblock: bool) -> Sleeps[int]:
    """Move buffers from one pipe to the other, share the last one if only a part of it is wanted."""
    kernel = task.kernel
    done = 0
    error = ""
    input_wakeup = False
    while True:
        yield from ipipe_prep(task, ipipe, nonblock)
        yield from opipe_prep(task, opipe, nonblock)
        yield from pipe_double_lock(task, ipipe, opipe)
        retry = False
        while length:
            if not opipe.readers:
                send_sigpipe(task)
                error = "EPIPE"
                break
            if ipipe.empty() and not ipipe.writers:
                break
            if ipipe.empty() or opipe.full():
                error = "EAGAIN" if nonblock else ""
                retry = not done and not nonblock
                break
            moved, whole = _move(ipipe, opipe, length)
            input_wakeup = input_wakeup or whole
            done += moved
            length -= moved
        ipipe.unlock(kernel)
        opipe.unlock(kernel)
        if not retry:
            break
    if done:
        wakeup_pipe_readers(kernel, opipe)
    if input_wakeup:
        wakeup_pipe_writers(kernel, ipipe)
    if not done and error:
        raise Errno(error)
    return done


def _move(ipipe: PipeInode, opipe: PipeInode, length: int) -> tuple[int, bool]:
    """Move one buffer, or share it for a part; return the bytes moved and whether it was the whole buffer."""
    ibuf, obuf = ipipe.slot(ipipe.tail), opipe.push()
    copy_slot(ibuf, obuf)
    if length >= ibuf.len:
        ibuf.ops = None
        ipipe.advance_tail()
        return obuf.len, True
    ibuf.get()
    obuf.flags &= ~(PIPE_BUF_FLAG_GIFT | PIPE_BUF_FLAG_CAN_MERGE)
    obuf.len = length
    ibuf.offset += length
    ibuf.len -= length
    return length, False


def link_pipe(task: Task, ipipe: PipeInode, opipe: PipeInode, length: int) -> Sleeps[int]:
    """Share buffers of one pipe with the other (``link_pipe()``)."""
    kernel = task.kernel
    done = 0
    broken = False
    yield from pipe_double_lock(task, ipipe, opipe)
    tail = ipipe.tail
    while True:
        if not opipe.readers:
            send_sigpipe(task)
            broken = True
            break
        if ipipe.head == tail or opipe.full():
            break
        ibuf, obuf = ipipe.slot(tail), opipe.push()
        ibuf.get()
        copy_slot(ibuf, obuf)
        obuf.flags &= ~(PIPE_BUF_FLAG_GIFT | PIPE_BUF_FLAG_CAN_MERGE)
        obuf.len = min(obuf.len, length)
        done += obuf.len
        length -= obuf.len
        tail = u32(tail + 1)
        if not length:
            break
    ipipe.unlock(kernel)
    opipe.unlock(kernel)
    if done:
        wakeup_pipe_readers(kernel, opipe)
    elif broken:
        raise Errno("EPIPE")
    return done
