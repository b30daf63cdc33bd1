"""Receive one packet from a queue, or wait for it (``net/core/datagram.c``)."""

from __future__ import annotations

from ktrace.include.net.sock import RCV_SHUTDOWN, SHUTDOWN_MASK
from ktrace.model.net.core.skbuff import SkBuff
from ktrace.model.net.core.sock import Sock, raise_sock_error
from ktrace.model.net.core.sock_callbacks import set_wq_bit
from ktrace.model.net.core.sock_wait import Timeo, prepare_to_wait, receiver, sock_intr_errno, sock_rcvtimeo
from ktrace.model.task import Errno, Task
from ktrace.model.wait import Sleeps
from ktrace.uapi.eventpoll import (
    EPOLLERR,
    EPOLLHUP,
    EPOLLIN,
    EPOLLOUT,
    EPOLLPRI,
    EPOLLRDHUP,
    EPOLLRDNORM,
    EPOLLWRBAND,
    EPOLLWRNORM,
)
from ktrace.uapi.socket import MSG_DONTWAIT, MSG_PEEK, SOCK_SEQPACKET, SOCK_STREAM


class ReceiveShutdown(Exception):
    """End a wait for packets on a socket that was shut down for reading: ``err = 0`` and no packet."""


def skb_try_recv_from_queue(queue: list[SkBuff], flags: int, off: int) -> tuple[SkBuff, int] | None:
    """Take or peek at the first packet (``__skb_try_recv_from_queue()``).

    :param off: where SO_PEEK_OFF starts, -1 where it is off
    :returns: the packet, and the offset within it; ``None`` where there is none
    """
    if not flags & MSG_PEEK:
        return (queue.pop(0), 0) if queue else None
    at_offset, rest = off >= 0, max(off, 0)
    for skb in queue:
        if at_offset and rest >= len(skb) and (rest or skb.peeked):
            rest -= len(skb)
            continue
        if not len(skb):
            skb.peeked = True
        return skb, rest
    return None


def wait_for_more(task: Task, sk: Sock, timeo: Timeo, last: SkBuff | None) -> Sleeps[None]:
    """Sleep until the queue's tail is no longer *last* (``__skb_wait_for_more_packets()``).

    :raises Errno: the sock's error, ENOTCONN, or an interrupted wait
    :raises ReceiveShutdown: the sock was shut down
    """
    assert sk.wq is not None
    queue = sk.wq
    entry = receiver(task, queue)
    prepare_to_wait(queue, entry)
    try:
        raise_sock_error(sk)
        if (sk.receive_queue[-1] if sk.receive_queue else None) is not last:
            return
        if sk.shutdown & RCV_SHUTDOWN:
            raise ReceiveShutdown
        if sk.type in (SOCK_SEQPACKET, SOCK_STREAM) and sk.state not in ("TCP_ESTABLISHED", "TCP_LISTEN"):
            raise Errno("ENOTCONN")
        if task.signal_pending():
            raise sock_intr_errno(timeo)
        yield from timeo.sleep(task)
    finally:
        queue.remove(entry)


def skb_recv_datagram(task: Task, sk: Sock, flags: int, off: int = 0) -> Sleeps[tuple[SkBuff, int]]:
    """Receive one packet (``__skb_recv_datagram()``); return it with the offset into it.

    :raises Errno: EAGAIN, ENOTCONN, the sock's error, or an interrupted wait
    :raises ReceiveShutdown: the sock was shut down
    """
    timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT)
    while True:
        last = sk.receive_queue[-1] if sk.receive_queue else None
        raise_sock_error(sk)  # __skb_try_recv_datagram()
        found = skb_try_recv_from_queue(sk.receive_queue, flags, off)
        if found is not None:
            return found
        if not timeo:
            raise Errno("EAGAIN")
        yield from wait_for_more(task, sk, timeo, last)


def skb_free_datagram(sk: Sock, skb: SkBuff) -> None:
    """Give the charge of a packet that was taken back (``sock_rfree()``)."""
    sk.rmem_alloc -= skb.truesize


def datagram_poll(sk: Sock) -> int:
    """Return the poll mask of a sock of packets (``datagram_poll()``)."""
    mask = 0
    if sk.err or sk.error_queue:
        mask |= EPOLLERR | (EPOLLPRI if sk.flag("SOCK_SELECT_ERR_QUEUE") else 0)
    if sk.shutdown & RCV_SHUTDOWN:
        mask |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM
    if sk.shutdown == SHUTDOWN_MASK:
        mask |= EPOLLHUP
    if sk.receive_queue:
        mask |= EPOLLIN | EPOLLRDNORM
    if sk.wmem_alloc < sk.sndbuf >> 1:
        mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND
    else:
        set_wq_bit(sk, "SOCKWQ_ASYNC_NOSPACE")
    return mask
