"""Pipes to sockets by one message for up to 16 buffers (``fs/splice.c: splice_to_socket()``)."""

from __future__ import annotations

from ktrace.include.linux.socket import MSG_SPLICE_PAGES
from ktrace.model.fs.file import File
from ktrace.model.fs.pipe.pipe import PipeInode
from ktrace.model.fs.pipe.splice import pipe_wait_readable, wakeup_pipe_writers
from ktrace.model.kernel import Kernel
from ktrace.model.mm.iov import PageSource
from ktrace.model.mm.page import Page
from ktrace.model.net.core.proto_ops import OutMessage
from ktrace.model.net.core.skbuff import SkBuff
from ktrace.model.net.core.sock import Socket
from ktrace.model.task import Errno, Task
from ktrace.model.wait import Sleeps, drive
from ktrace.uapi.fcntl import O_NONBLOCK
from ktrace.uapi.socket import MSG_DONTWAIT, MSG_MORE
from ktrace.uapi.splice import SPLICE_F_MORE, SPLICE_F_NONBLOCK

BVECS = 16
"""Buffers that one message takes (``bvec[]``)."""


class SpliceToSocket:
    """One ``splice_to_socket()``: *length* bytes of *pipe* to the socket behind *out*."""

    def __init__(self, task: Task, pipe: PipeInode, out: File, length: int, flags: int) -> None:
        self.task = task
        self.pipe = pipe
        self.out = out
        self.left = length
        self.flags = flags
        self.spliced = 0
        self.need_wakeup = False

    def run(self) -> Sleeps[int]:
        """Send message after message, with the pipe locked; return the bytes that went."""
        kernel: Kernel = self.task.kernel
        error = ""
        yield from self.pipe.lock(self.task)
        try:
            while self.left:
                if self.task.signal_pending():
                    raise Errno("ERESTARTSYS")
                if not (yield from self._wait()):
                    break
                if not (yield from self._send()):
                    break
        except Errno as found:
            error = found.name
        self.pipe.unlock(kernel)
        if self.need_wakeup:
            wakeup_pipe_writers(kernel, self.pipe)
        if not self.spliced and error:
            raise Errno(error)
        return self.spliced

    def _wait(self) -> Sleeps[bool]:
        """Wait for a buffer; tell whether there is one."""
        pipe, task = self.pipe, self.task
        while pipe.empty():
            if not pipe.writers or self.spliced:
                return False
            if self.flags & SPLICE_F_NONBLOCK:
                raise Errno("EAGAIN")
            if task.signal_pending():
                raise Errno("ERESTARTSYS")
            if self.need_wakeup:
                wakeup_pipe_writers(task.kernel, pipe)
                self.need_wakeup = False
            yield from pipe_wait_readable(task, pipe)
        return True

    def _send(self) -> Sleeps[bool]:
        """Send one message; tell whether anything went."""
        pages, more = self._gather()
        if not pages:
            # The only buffers are empty. What ret was set to at the loop's head comes out: -ERESTARTSYS, with no
            # signal to act on it, so that programs see errno 512.
            self.task.kernel.known_bug("splice-empty-errno-512")
            raise Errno("ERESTARTSYS")
        socket: Socket = self.out.private
        flags = MSG_SPLICE_PAGES
        if self.flags & SPLICE_F_MORE or more:
            flags |= MSG_MORE
        if self.out.f_flags & O_NONBLOCK:
            flags |= MSG_DONTWAIT
        assert socket.ops is not None
        done = yield from drive(socket.ops.sendmsg(self.task, socket, OutMessage(PageSource(pages), flags)))
        self.spliced += done
        self.left -= done
        self._consume(done)
        return done > 0

    def _gather(self) -> tuple[list[tuple[Page, int, int]], bool]:
        """Return the parts of one message, and whether the pipe has more that was asked for."""
        pipe, remain = self.pipe, self.left
        pages: list[tuple[Page, int, int]] = []
        for index in range(pipe.occupancy()):
            buf = pipe.slot(pipe.tail + index)
            if not buf.len:
                continue
            assert buf.page is not None
            size = min(remain, buf.len)
            pages.append((buf.page, buf.offset, size))
            remain -= size
            if not remain:
                break
            if len(pages) == BVECS:
                # The tail that is counted from still has the last one.
                return pages, True
        return pages, False

    def _consume(self, done: int) -> None:
        """Take *done* bytes out of the pipe, and the empty buffers before them."""
        pipe = self.pipe
        while done:
            buf = pipe.slot(pipe.tail)
            size = min(done, buf.len)
            buf.offset += size
            buf.len -= size
            done -= size
            if not buf.len:
                pipe.release(buf)
                pipe.advance_tail()
                self.need_wakeup = self.need_wakeup or pipe.files > 0


def skb_splice_from_iter(skb: SkBuff, source: PageSource, size: int) -> int:
    """Share up to *size* bytes of pages with a buffer; return how many went (``skb_splice_from_iter()``).

    :raises Errno: EMSGSIZE where it has no room for any
    """
    pieces = source.take(size)
    spliced = 0
    while pieces:
        page, offset, length = pieces[0]
        if not skb.append_page(page, offset, length, across=False):
            source.give_back(pieces)
            break
        spliced += length
        del pieces[0]
    if not spliced and size:
        raise Errno("EMSGSIZE")
    skb.data_len += spliced
    skb.truesize += spliced
    return spliced
