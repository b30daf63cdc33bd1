"""Receive on raw and ping sockets (``net/ipv4/raw.c: raw_recvmsg()``, ``net/ipv6/raw.c``, ``net/ipv4/ping.c``)."""

from __future__ import annotations

from ktrace.model.kernel import Kernel
from ktrace.model.net.core.datagram import ReceiveShutdown, skb_free_datagram, skb_recv_datagram
from ktrace.model.net.core.proto_ops import InMessage
from ktrace.model.net.core.sock_cmsg import sock_recv_cmsgs, sock_recv_timestamp
from ktrace.model.net.inet.addr6 import sockaddr_in6
from ktrace.model.net.inet.ip_cmsg import ip_cmsg_recv
from ktrace.model.net.inet.ip_error import ip_recv_error
from ktrace.model.net.inet.ip_input import Raw
from ktrace.model.net.inet.option6 import ip6_datagram_recv_ctl
from ktrace.model.net.inet.socket import sockaddr_in
from ktrace.model.task import Errno, Task
from ktrace.model.wait import Sleeps
from ktrace.uapi.socket import MSG_ERRQUEUE, MSG_OOB, MSG_PEEK, MSG_TRUNC, SOCK_RAW


def receive_error(kernel: Kernel, sk: Raw, msg: InMessage) -> int:
    """Receive from the error queue (``ip_recv_error()``, ``ipv6_recv_error()``)."""
    if sk.error_queue and sk.family == "AF_INET6":
        raise NotImplementedError("the model does not tell errors to AF_INET6 sockets (ipv6_recv_error())")
    return ip_recv_error(kernel, sk, msg)


def recv_packet(task: Task, sk: Raw, msg: InMessage, flags: int) -> Sleeps[int]:
    """Take one packet (``raw_recvmsg()``, ``rawv6_recvmsg()``, ``ping_recvmsg()``).

    A ping socket tells no more than the time, and not the whole length for MSG_TRUNC.

    :raises Errno: EOPNOTSUPP, EAGAIN, EFAULT, the sock's error
    """
    kernel = task.kernel
    if flags & MSG_OOB:
        raise Errno("EOPNOTSUPP")
    if flags & MSG_ERRQUEUE:
        return receive_error(kernel, sk, msg)
    try:
        skb, _ = yield from skb_recv_datagram(task, sk, flags)
    except ReceiveShutdown:
        return 0
    copied = len(skb)
    if copied > msg.destination.count:
        msg.flags |= MSG_TRUNC
        copied = msg.destination.count
    if not flags & MSG_PEEK:
        skb_free_datagram(sk, skb)
    if msg.destination.copy(skb.data[:copied]) < copied:
        raise Errno("EFAULT")
    raw = sk.type == SOCK_RAW
    if raw:
        sock_recv_cmsgs(kernel, sk, skb, msg)
    else:
        sock_recv_timestamp(kernel, sk, msg, skb.since, skb)
    if msg.wants_name:
        assert skb.addr is not None
        address = skb.addr[0]
        msg.name = sockaddr_in6(address, 0) if sk.family == "AF_INET6" else sockaddr_in(address, 0)
    if sk.family == "AF_INET6":
        ip6_datagram_recv_ctl(sk, skb, msg)
    else:
        ip_cmsg_recv(sk, skb, msg)
    return len(skb) if raw and flags & MSG_TRUNC else copied
