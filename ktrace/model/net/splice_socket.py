"""Pipes to sockets and back (``fs/splice.c: generic_splice_sendpage()``, ``net/core/skbuff.c: skb_splice_bits()``)."""

from __future__ import annotations

from ktrace.include.linux.skbuff import MAX_SKB_FRAGS
from ktrace.include.linux.socket import MSG_SENDPAGE_NOTLAST
from ktrace.model.fs.file import File
from ktrace.model.fs.pipe.pipe import PipeBuffer, PipeInode
from ktrace.model.fs.pipe.pipe_ops import send_sigpipe
from ktrace.model.fs.pipe.splice import SpliceDesc, splice_from_pipe
from ktrace.model.mm.page import Page
from ktrace.model.net.core.page_frag import copy_to_frag
from ktrace.model.net.core.skbuff import SkBuff
from ktrace.model.net.core.sock import Socket
from ktrace.model.task import Errno, Task
from ktrace.model.wait import MaySleep, Sleeps
from ktrace.state.allowed import Between
from ktrace.state.rule import Rule
from ktrace.uapi.fcntl import O_NONBLOCK
from ktrace.uapi.socket import MSG_DONTWAIT, MSG_MORE
from ktrace.uapi.splice import SPLICE_F_MORE, SPLICE_F_NONBLOCK

NOSTEAL_OPS = "nosteal_pipe_buf_ops"
PRIVATE = Between(
    Rule("net/core/skbuff.c", "skb_splice_bits", "nobody sets partial_page.private"),
    0,
    (1 << 64) - 1,
)
PartialPage = tuple[Page, int, int]
"""Page, offset and size."""


def generic_splice_sendpage(task: Task, pipe: PipeInode, out: File, length: int, flags: int) -> Sleeps[int]:
    """Hand a pipe's pages to a socket, which may sleep with the pipe locked (``pipe_to_sendpage()``)."""
    sd = SpliceDesc(length, bool(flags & SPLICE_F_NONBLOCK))
    socket: Socket = out.private

    def pipe_to_sendpage(buf: PipeBuffer, size: int) -> MaySleep[int]:
        more = MSG_MORE if flags & SPLICE_F_MORE else 0
        if size < sd.total_len and pipe.occupancy() > 1:
            more |= MSG_SENDPAGE_NOTLAST
        if out.f_flags & O_NONBLOCK:
            more |= MSG_DONTWAIT
        assert socket.ops is not None and buf.page is not None
        return socket.ops.sendpage(task, socket, buf.page, buf.offset, size, more)

    return (yield from splice_from_pipe(task, pipe, sd, pipe_to_sendpage))


def skb_splice_bits(task: Task, skb: SkBuff, offset: int, length: int, pipe: PipeInode) -> int:
    """Share a packet's pages with a pipe; what is not in pages is copied to some (``skb_splice_bits()``).

    :param offset: into the packet
    :raises Errno: EPIPE, EAGAIN where the pipe is full
    """
    return splice_to_pipe(task, pipe, skb_parts(task, skb, offset, length))


def skb_parts(task: Task, skb: SkBuff, offset: int, length: int) -> list[PartialPage]:
    """Return a part of a packet as pages, each with a reference taken (``__skb_splice_bits()``)."""
    parts: list[PartialPage] = []
    head = skb.linear[offset : offset + length]
    length -= len(head)
    offset = max(offset - len(skb.linear), 0)
    while head and len(parts) < MAX_SKB_FRAGS:
        page, at, size = copy_to_frag(task, head)
        _fill_page(parts, page, at, size)
        head = head[size:]
    for fragment in skb.frags if not head else ():
        if offset >= fragment.size:
            offset -= fragment.size
            continue
        size = min(fragment.size - offset, length)
        if not size or len(parts) == MAX_SKB_FRAGS:
            break
        _fill_page(parts, fragment.page, fragment.offset + offset, size)
        length -= size
        offset = 0
    return parts


def _fill_page(parts: list[PartialPage], page: Page, offset: int, size: int) -> None:
    """``spd_fill_page()``, ``spd_can_coalesce()``."""
    if parts:
        last, start, length = parts[-1]
        if last is page and start + length == offset:
            parts[-1] = page, start, length + size
            return
    page.get()
    parts.append((page, offset, size))


def splice_to_pipe(task: Task, pipe: PipeInode, parts: list[PartialPage]) -> int:
    """Fill slots with *parts* as long as there are any, drop the rest (``splice_to_pipe()``)."""
    if not parts:
        return 0
    done = 0
    left = list(parts)
    if not pipe.readers:
        send_sigpipe(task)
        error = "EPIPE"
    else:
        while left and not pipe.full():
            page, offset, size = left.pop(0)
            buf = pipe.push()
            buf.page, buf.offset, buf.len, buf.ops, buf.flags = page, offset, size, NOSTEAL_OPS, 0
            buf.private = PRIVATE
            done += size
        error = "" if done else "EAGAIN"
    for page, _, _ in left:
        page.put()
    if error:
        raise Errno(error)
    return done
