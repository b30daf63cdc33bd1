"""The error queue of IPv4 sockets: IP_RECVERR, MSG_ERRQUEUE (``net/ipv4/ip_sockglue.c``, ``net/core/skbuff.c``)."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

from ktrace.include.net.ip import IP_MAX_MTU
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.proto_ops import InMessage
from ktrace.model.net.core.scm import put_cmsg
from ktrace.model.net.core.skbuff import SkBuff
from ktrace.model.net.core.sock_callbacks import error_report
from ktrace.model.net.core.sock_cmsg import net_timestamp_check, sock_recv_timestamp
from ktrace.model.net.inet.ip_cmsg import ip_cmsg_recv
from ktrace.model.net.inet.route import LOOPBACK_MTU
from ktrace.model.net.inet.sock import Inet
from ktrace.model.net.inet.socket import sockaddr_in
from ktrace.model.task import Errno
from ktrace.uapi.errqueue import SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6, SO_EE_ORIGIN_LOCAL, SO_EE_ORIGIN_ZEROCOPY
from ktrace.uapi.icmp import ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, SIZEOF_ICMPHDR
from ktrace.uapi.in_ import IP_MTU_DISCOVER, IP_PMTUDISC_PROBE, IP_RECVERR
from ktrace.uapi.ip import IPTOS_PREC_INTERNETCONTROL, IPTOS_TOS_MASK, SIZEOF_IPHDR
from ktrace.uapi.socket import MSG_ERRQUEUE, MSG_TRUNC, SOL_IP
from ktrace.uapi.udp import SIZEOF_UDPHDR

SO_EE_ORIGINS_ICMP = (SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6)
"""``is_icmp_err_skb()``."""

ICMP_MOST = 576
"""Bytes that an ICMP error packet has at most (``__icmp_send()``)."""

ICMP_EXTRA = 16 + 15
"""``hh_len + 15`` (``__ip_append_data()``)."""


@dataclass(frozen=True)
class ExtendedError:
    """Mirror a ``struct sock_exterr_skb``.

    :param port: of the destination that failed; *daddr* its address
    :param offender: who said so, ``None`` where this machine found out itself
    """

    errno: int
    origin: int
    type: int
    code: int
    info: int
    daddr: str
    port: int
    offender: str | None
    data: int = 0

    @property
    def charged(self) -> bool:
        """Tell whether its buffer counts for ``sk_rmem_alloc``: that of MSG_ZEROCOPY is ``sock_omalloc()``'s."""
        return self.origin != SO_EE_ORIGIN_ZEROCOPY

    @property
    def has_address(self) -> bool:
        """``ipv4_datagram_support_addr()``, ``ipv6_datagram_support_addr()``."""
        return self.origin in (*SO_EE_ORIGINS_ICMP, SO_EE_ORIGIN_LOCAL) or bool(self.port)


def icmp_unreachable(kernel: Kernel, sk: Inet, skb: SkBuff, errno: int, dport: int) -> None:
    """Queue the ICMP error that answers a packet of *sk* (``__icmp_send()``, ``ip_icmp_error()``)."""
    room = ICMP_MOST - SIZEOF_IPHDR - SIZEOF_ICMPHDR
    quoted = min(SIZEOF_IPHDR + SIZEOF_UDPHDR + len(skb), room)
    alloc = kernel.net.alloc
    error = SkBuff(
        skb.data[: quoted - SIZEOF_IPHDR - SIZEOF_UDPHDR],
        0,
        alloc.truesize(SIZEOF_IPHDR + SIZEOF_ICMPHDR + quoted + ICMP_EXTRA),
    )
    error.daddr, error.hops = skb.addr[0] if skb.addr else "", kernel.net.setting("ipv4/ip_default_ttl")
    error.tos = skb.tos & IPTOS_TOS_MASK | IPTOS_PREC_INTERNETCONTROL
    net_timestamp_check(kernel, error)
    error.error = ExtendedError(
        errno, SO_EE_ORIGIN_ICMP, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0, skb.daddr, dport, skb.daddr
    )
    sock_queue_err_skb(kernel, sk, error)


def ip_local_error(kernel: Kernel, sk: Inet, errno: int, daddr: str, port: int, info: int) -> None:
    """Queue an error that this machine found out itself (``ip_local_error()``)."""
    if "recverr" not in sk.bits:
        return
    error = SkBuff(b"", 0, kernel.net.alloc.truesize(SIZEOF_IPHDR))
    net_timestamp_check(kernel, error)
    error.error = ExtendedError(errno, SO_EE_ORIGIN_LOCAL, 0, 0, info, daddr, port, None)
    sock_queue_err_skb(kernel, sk, error)


def pmtu(sk: Inet) -> int:
    """Return how long a packet may be (``ip_setup_cork()``, ``ipv4_mtu()``)."""
    return IP_MAX_MTU if sk.options.get((SOL_IP, IP_MTU_DISCOVER), 1) < IP_PMTUDISC_PROBE else LOOPBACK_MTU


def sock_queue_err_skb(kernel: Kernel, sk: Inet, skb: SkBuff) -> None:
    """Put an error on the queue, or drop it where the receive buffer is full (``sock_queue_err_skb()``)."""
    if sk.rmem_alloc + skb.truesize >= sk.rcvbuf:
        return
    skb.sk = sk
    sk.rmem_alloc += skb.truesize
    sk.error_queue.append(skb)
    if not sk.flag("SOCK_DEAD"):
        error_report(kernel, sk)


def skb_errqueue_purge(sk: Inet) -> None:
    """Drop all errors (``skb_errqueue_purge()``)."""
    while sk.error_queue:
        skb = sk.error_queue.pop()
        sk.rmem_alloc -= skb.truesize if skb.error is None or skb.error.charged else 0


def receive_error(kernel: Kernel, sk: Inet, msg: InMessage) -> tuple[SkBuff, ExtendedError, int]:
    """Copy the oldest error and tell when it came, as ``ip_recv_error()`` and ``ipv6_recv_error()`` both begin.

    :returns: its buffer, what it says, and the bytes that were copied
    :raises Errno: EAGAIN, EFAULT
    """
    skb = sock_dequeue_err_skb(kernel, sk)
    copied = len(skb)
    if copied > msg.destination.count:
        msg.flags |= MSG_TRUNC
        copied = msg.destination.count
    if msg.destination.copy(skb.data[:copied]) < copied:
        raise Errno("EFAULT")
    if skb.since is not None:
        sock_recv_timestamp(kernel, sk, msg, skb.since, skb)
    assert skb.error is not None
    return skb, skb.error, copied


def ip_recv_error(kernel: Kernel, sk: Inet, msg: InMessage) -> int:
    """Receive the oldest error, with the bytes that it answers (``ip_recv_error()``).

    :raises Errno: EAGAIN, EFAULT
    """
    skb, error, copied = receive_error(kernel, sk, msg)
    if msg.wants_name and error.has_address:
        msg.name = sockaddr_in(error.daddr, error.port)
    offender = bytes(16)
    if error.offender is not None:
        offender = struct.pack("<HH4s8x", 2, 0, ipaddress.IPv4Address(error.offender).packed)
        ip_cmsg_recv(sk, skb, msg)
    put_cmsg(msg, SOL_IP, IP_RECVERR, header(error) + offender)
    msg.flags |= MSG_ERRQUEUE
    return copied


def header(error: ExtendedError) -> bytes:
    """Return the bytes of the ``struct sock_extended_err``."""
    return struct.pack("<IBBBBII", error.errno, error.origin, error.type, error.code, 0, error.info, error.data)


def sock_dequeue_err_skb(kernel: Kernel, sk: Inet) -> SkBuff:
    """Take the oldest error and make the next one the pending error of the sock (``sock_dequeue_err_skb()``).

    :raises Errno: EAGAIN
    """
    if not sk.error_queue:
        raise Errno("EAGAIN")
    skb = sk.error_queue.pop(0)
    sk.rmem_alloc -= skb.truesize if skb.error is None or skb.error.charged else 0
    following = sk.error_queue[0].error if sk.error_queue else None
    if following is not None and following.origin in SO_EE_ORIGINS_ICMP:
        sk.err = following.errno
    elif skb.error is not None and skb.error.origin in SO_EE_ORIGINS_ICMP:
        sk.err = 0
    if sk.error_queue:
        error_report(kernel, sk)
    return skb
