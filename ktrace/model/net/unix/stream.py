"""What is sent through an AF_UNIX stream (``net/unix/af_unix.c``: unix_stream_sendmsg)."""

from __future__ import annotations

from ktrace.include.linux.socket import MSG_SPLICE_PAGES
from ktrace.include.net.sock import RCV_SHUTDOWN, SEND_SHUTDOWN
from ktrace.model.kernel import Kernel
from ktrace.model.mm.iov import PageSource
from ktrace.model.mm.page import Compound
from ktrace.model.net.core.proto_ops import OutMessage
from ktrace.model.net.core.skbuff import Fragment, SkBuff, fragment_sizes
from ktrace.model.net.core.sock import (
    Socket,
)
from ktrace.model.net.core.sock_alloc import sock_alloc_send_pskb
from ktrace.model.net.core.sock_callbacks import data_ready, send_sigurg
from ktrace.model.net.splice_to_socket import skb_splice_from_iter
from ktrace.model.net.unix.scm import (
    Scm,
    maybe_add_creds,
    scm_send,
    scm_stat_add,
    unix_scm_to_skb,
)
from ktrace.model.net.unix.skb import kfree_skb
from ktrace.model.net.unix.sock import Unix, unix_sk
from ktrace.model.task import Errno, Task
from ktrace.model.wait import Sleeps
from ktrace.uapi.socket import MSG_DONTWAIT, MSG_NOSIGNAL, MSG_OOB

UNIX_SKB_FRAGS_SZ = 4096 << 3
"""``PAGE_SIZE << get_order(32768)``."""


def unix_stream_sendmsg(task: Task, socket: Socket, msg: OutMessage) -> Sleeps[int]:
    """Queue bytes on the peer, in buffers of half the send buffer at most (``unix_stream_sendmsg()``)."""
    kernel = task.kernel
    sk = unix_sk(socket.sk)
    scm = scm_send(task, socket, msg)
    sent = 0
    try:
        length = msg.source.count
        oob = bool(msg.flags & MSG_OOB)
        if oob:
            if not kernel.net.facts.oob or not length:
                raise Errno("EOPNOTSUPP")
            length -= 1
        if msg.name:
            raise Errno("EISCONN" if sk.state == "TCP_ESTABLISHED" else "EOPNOTSUPP")
        other = sk.peer
        if other is None:
            raise Errno("ENOTCONN")
        if sk.shutdown & SEND_SHUTDOWN:
            raise _pipe_error(task, msg, sent)
        fds_sent = False
        while sent < length:
            if msg.flags & MSG_SPLICE_PAGES and isinstance(msg.source, PageSource):
                skb = yield from sock_alloc_send_pskb(task, sk, 0, 0, msg.flags & MSG_DONTWAIT)
                size = _share(task, scm, skb, msg.source, sk, length - sent, not fds_sent)
            else:
                size, data_len = _next_size(kernel, sk, length - sent)
                skb = yield from sock_alloc_send_pskb(task, sk, size - data_len, data_len, msg.flags & MSG_DONTWAIT)
                _fill(task, scm, skb, msg, size, not fds_sent)
            fds_sent = True
            if other.flag("SOCK_DEAD") or other.shutdown & RCV_SHUTDOWN:
                kfree_skb(task, skb)
                raise _pipe_error(task, msg, sent)
            _queue(task, socket, other, skb)
            data_ready(kernel, other)
            sent += size
        if oob:
            yield from queue_oob(task, socket, other, scm, msg, not fds_sent)
            sent += 1
    except Errno:
        if not sent:
            raise
    finally:
        scm.destroy(task)
    return sent


def _next_size(kernel: Kernel, sk: Unix, size: int) -> tuple[int, int]:
    """Return the size of the next buffer and how much of it is paged."""
    alloc = kernel.net.alloc
    head = alloc.max_order(0)
    size = min(size, (sk.sndbuf >> 1) - 64, head + UNIX_SKB_FRAGS_SZ)
    return size, min(size, alloc.page_align(max(0, size - head)))


def _fill(task: Task, scm: Scm, skb: SkBuff, msg: OutMessage, size: int, send_fds: bool) -> None:
    """Put credentials, descriptors and bytes into *skb*; free it where that fails."""
    kernel = task.kernel
    try:
        unix_scm_to_skb(task, kernel, scm, skb, send_fds)
        data = msg.source.copy(size)
        if len(data) < size:
            raise Errno("EFAULT")
        at = size - skb.data_len
        skb.linear = data[:at]
        for length in fragment_sizes(skb.data_len):
            skb.frags.append(Fragment(Compound(kernel.serial(), data[at : at + length]), 0, length))
            at += length
    except Errno:
        kfree_skb(task, skb)
        raise


def _share(task: Task, scm: Scm, skb: SkBuff, source: PageSource, sk: Unix, size: int, send_fds: bool) -> int:
    """Put credentials, descriptors and pages of a pipe into *skb*; return the bytes; free it where that fails."""
    try:
        unix_scm_to_skb(task, task.kernel, scm, skb, send_fds)
        size = skb_splice_from_iter(skb, source, size)
    except Errno:
        kfree_skb(task, skb)
        raise
    sk.wmem_alloc += size
    return size


def _queue(task: Task, socket: Socket, other: Unix, skb: SkBuff) -> None:
    maybe_add_creds(task, skb, socket, other)
    scm_stat_add(task, other, skb)
    other.inq_len += len(skb)
    other.receive_queue.append(skb)


def _pipe_error(task: Task, msg: OutMessage, sent: int) -> Errno:
    if not sent and not msg.flags & MSG_NOSIGNAL:
        task.kernel.send_signal(task, "SIGPIPE", task, thread=True)
    return Errno("EPIPE")


def queue_oob(task: Task, socket: Socket, other: Unix, scm: Scm, msg: OutMessage, send_fds: bool) -> Sleeps[None]:
    """Queue the one byte that is out of band (``queue_oob()``)."""
    kernel = task.kernel
    sk = unix_sk(socket.sk)
    skb = yield from sock_alloc_send_pskb(task, sk, 1, 0, msg.flags & MSG_DONTWAIT)
    _fill(task, scm, skb, msg, 1, send_fds)
    if other.flag("SOCK_DEAD") or other.shutdown & RCV_SHUTDOWN:
        kfree_skb(task, skb)
        raise Errno("EPIPE")
    _queue(task, socket, other, skb)
    other.oob_skb = skb
    send_sigurg(kernel, other)
    data_ready(kernel, other)
