"""The error queue of IPv6 sockets: IPV6_RECVERR, MSG_ERRQUEUE (``net/ipv6/datagram.c``, ``net/ipv6/icmp.c``)."""

from __future__ import annotations

import ipaddress
import struct

from ktrace.model.kernel import Kernel
from ktrace.model.net.core.proto_ops import InMessage
from ktrace.model.net.core.scm import put_cmsg
from ktrace.model.net.core.skbuff import SkBuff
from ktrace.model.net.core.sock_cmsg import net_timestamp_check
from ktrace.model.net.inet.addr6 import is_ipv6, sockaddr_in6, v4mapped
from ktrace.model.net.inet.icmp import icmpv6_error
from ktrace.model.net.inet.ip_cmsg import ip_cmsg_recv
from ktrace.model.net.inet.ip_error import ExtendedError, header, receive_error, sock_queue_err_skb
from ktrace.model.net.inet.ip_packet import IpPacket
from ktrace.model.net.inet.option6 import ip6_datagram_recv_ctl
from ktrace.model.net.inet.sock import Inet
from ktrace.uapi.errqueue import SO_EE_ORIGIN_ICMP6, SO_EE_ORIGIN_LOCAL
from ktrace.uapi.icmpv6 import ICMPV6_DEST_UNREACH, ICMPV6_PORT_UNREACH, SIZEOF_ICMP6HDR
from ktrace.uapi.in6 import IPV6_RECVERR
from ktrace.uapi.ipv6 import SIZEOF_IPV6HDR
from ktrace.uapi.socket import AF_INET6, MSG_ERRQUEUE, SOL_IPV6
from ktrace.uapi.udp import SIZEOF_UDPHDR


def icmpv6_unreachable(kernel: Kernel, sk: Inet, packet: IpPacket, errno: int, dport: int) -> None:
    """Queue the ICMPv6 error that answers a packet of *sk* (``icmp6_send()``, ``ipv6_icmp_error()``)."""
    answer = icmpv6_error(kernel, packet, ICMPV6_DEST_UNREACH, ICMPV6_PORT_UNREACH, 0)
    quoted = answer.payload[SIZEOF_ICMP6HDR + SIZEOF_IPV6HDR + SIZEOF_UDPHDR :]
    error = SkBuff(quoted, 0, answer.truesize)
    error.daddr, error.hops, error.tos = packet.saddr, answer.hops, answer.tos
    net_timestamp_check(kernel, error)
    error.error = ExtendedError(
        errno, SO_EE_ORIGIN_ICMP6, ICMPV6_DEST_UNREACH, ICMPV6_PORT_UNREACH, 0, packet.daddr, dport, packet.daddr
    )
    sock_queue_err_skb(kernel, sk, error)


def ipv6_local_error(kernel: Kernel, sk: Inet, errno: int, daddr: str, port: int, info: int) -> None:
    """Queue an error that this machine found out itself (``ipv6_local_error()``)."""
    if "recverr" not in sk.np.bits:
        return
    error = SkBuff(b"", 0, kernel.net.alloc.truesize(SIZEOF_IPV6HDR))
    net_timestamp_check(kernel, error)
    error.error = ExtendedError(errno, SO_EE_ORIGIN_LOCAL, 0, 0, info, daddr, port, None)
    sock_queue_err_skb(kernel, sk, error)


def ipv6_recv_error(kernel: Kernel, sk: Inet, msg: InMessage) -> int:
    """Receive the oldest error, which may be of IPv4, with the bytes that it answers (``ipv6_recv_error()``).

    :raises Errno: EAGAIN, EFAULT
    """
    skb, error, copied = receive_error(kernel, sk, msg)
    if msg.wants_name and error.has_address:
        if "sndflow" in sk.np.bits and error.origin == SO_EE_ORIGIN_ICMP6:
            raise NotImplementedError("the model does not know the flow label of a packet that an ICMPv6 error answers")
        msg.name = sockaddr_in6(_wide(error.daddr), error.port)
    offender = bytes(28)
    if error.offender is not None:
        address = ipaddress.IPv6Address(_wide(error.offender)).packed
        offender = struct.pack("<HHI16sI", AF_INET6, 0, 0, address, 0)
        ip6_datagram_recv_ctl(sk, skb, msg)
        if not is_ipv6(error.daddr):
            ip_cmsg_recv(sk, skb, msg)
    put_cmsg(msg, SOL_IPV6, IPV6_RECVERR, header(error) + offender)
    msg.flags |= MSG_ERRQUEUE
    return copied


def _wide(address: str) -> str:
    return address if is_ipv6(address) else v4mapped(address)
