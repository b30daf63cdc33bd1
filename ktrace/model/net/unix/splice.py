"""Pages into AF_UNIX streams and out of them (``net/unix/af_unix.c``)."""

from __future__ import annotations

from ktrace.include.net.sock import RCV_SHUTDOWN, SEND_SHUTDOWN
from ktrace.model.fs.pipe.pipe import PipeInode
from ktrace.model.mm.page import Page
from ktrace.model.net.core.skbuff import INVALID_ID, SkBuff
from ktrace.model.net.core.sock import Socket
from ktrace.model.net.core.sock_alloc import sock_alloc_send_pskb
from ktrace.model.net.core.sock_callbacks import data_ready
from ktrace.model.net.splice_socket import skb_splice_bits
from ktrace.model.net.unix.scm import maybe_add_creds
from ktrace.model.net.unix.skb import kfree_skb
from ktrace.model.net.unix.sock import unix_sk
from ktrace.model.net.unix.stream_read import StreamReader
from ktrace.model.task import Errno, Task
from ktrace.model.wait import Sleeps
from ktrace.uapi.fcntl import O_NONBLOCK
from ktrace.uapi.socket import MSG_DONTWAIT, MSG_NOSIGNAL
from ktrace.uapi.splice import SPLICE_F_NONBLOCK


def unix_stream_splice_read(task: Task, socket: Socket, pipe: PipeInode, length: int, flags: int) -> Sleeps[int]:
    """Read into a pipe (``unix_stream_splice_read()``)."""

    def unix_stream_splice_actor(skb: SkBuff, start: int, chunk: int) -> int:
        try:
            return skb_splice_bits(task, skb, start, chunk, pipe)
        except Errno:
            return -1

    assert socket.file is not None
    noblock = socket.file.f_flags & O_NONBLOCK or flags & SPLICE_F_NONBLOCK
    how = MSG_DONTWAIT if noblock else 0
    return (yield from StreamReader(task, socket, None, how, length, unix_stream_splice_actor).read())


def unix_stream_sendpage(task: Task, socket: Socket, page: Page, offset: int, size: int, flags: int) -> Sleeps[int]:
    """Share a part of a page with the peer, in its last buffer if that has room (``unix_stream_sendpage()``)."""
    kernel = task.kernel
    sk = unix_sk(socket.sk)
    other = sk.peer
    if other is None or sk.state != "TCP_ESTABLISHED":
        raise Errno("ENOTCONN")
    newskb: SkBuff | None = None
    tail: SkBuff | None = None
    asked: SkBuff | None = None
    while True:
        if sk.shutdown & SEND_SHUTDOWN or other.flag("SOCK_DEAD") or other.shutdown & RCV_SHUTDOWN:
            if newskb is not None:
                kfree_skb(task, newskb)
            if not flags & MSG_NOSIGNAL:
                kernel.send_signal(task, "SIGPIPE", task, thread=True)
            raise Errno("EPIPE")
        if asked is None:
            asked = SkBuff(b"", 0, 0, uid=INVALID_ID, gid=INVALID_ID)
            maybe_add_creds(task, asked, socket, other)
        last = other.receive_queue[-1] if other.receive_queue else None
        skb: SkBuff | None
        if last is None or last is tail or (last.pid, last.uid, last.gid) != (asked.pid, asked.uid, asked.gid):
            skb = newskb
        else:
            skb = last
            if newskb is not None:
                kfree_skb(task, newskb)
                newskb = None
        if skb is not None and skb.append_page(page, offset, size):
            break
        tail = last
        newskb = yield from sock_alloc_send_pskb(task, sk, 0, 0, flags & MSG_DONTWAIT)
    skb.data_len += size
    skb.truesize += size
    sk.wmem_alloc += size
    if skb is newskb:
        skb.pid, skb.uid, skb.gid = asked.pid, asked.uid, asked.gid
        other.receive_queue.append(skb)
    data_ready(kernel, other)
    return size
