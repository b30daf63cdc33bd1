"""Control messages of IPv4 (``net/ipv4/ip_sockglue.c``): those of senders, and those of receivers."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

from ktrace.include.linux.limits import U8_MAX
from ktrace.include.linux.types import SIZEOF_INT
from ktrace.include.net.ip import LOOPBACK_IFINDEX
from ktrace.model.net.core.proto_ops import InMessage, OutMessage
from ktrace.model.net.core.scm import for_each_cmsghdr, put_cmsg
from ktrace.model.net.core.skbuff import SkBuff
from ktrace.model.net.core.sock_cmsg import cmsg_bytes, sock_cmsg_send
from ktrace.model.net.inet.addr4 import ANY
from ktrace.model.net.inet.sock import Inet
from ktrace.model.net.inet.socket import address_type, sockaddr_in
from ktrace.model.task import Errno, Task
from ktrace.uapi.in6 import IPV6_PKTINFO
from ktrace.uapi.in_ import (
    IP_PKTINFO,
    IP_PROTOCOL,
    IP_RECVORIGDSTADDR,
    IP_RECVTOS,
    IP_RECVTTL,
    IP_RETOPTS,
    IP_TOS,
    IP_TTL,
    SIZEOF_IN_PKTINFO,
)
from ktrace.uapi.ipv6 import SIZEOF_IN6_PKTINFO
from ktrace.uapi.socket import SOL_IP, SOL_IPV6, SOL_SOCKET


@dataclass
class IpcmCookie:
    """Mirror a ``struct ipcm_cookie``: what holds for one packet instead of the sock's own.

    :param addr: source address, ``None`` for the sock's
    """

    addr: str | None = None
    oif: int = 0
    ttl: int | None = None
    tos: int | None = None
    mark: int | None = None

    def limits(self, sk: Inet, daddr: str) -> tuple[int, int]:
        """Return TTL and type of service of the packet."""
        hops, tos = sk.hop_limit(daddr)
        return self.ttl or hops, tos if self.tos is None else self.tos


def ip_cmsg_send(task: Task, sk: Inet, msg: OutMessage, over_ipv6: bool = False) -> IpcmCookie:
    """Read the control messages of a call (``ip_cmsg_send()``).

    :param over_ipv6: IPV6_PKTINFO with an IPv4 address inside is taken, too (*allow_ipv6*)
    :raises Errno: EINVAL, EPERM
    """
    cookie = IpcmCookie()
    for message in for_each_cmsghdr(msg):
        if message["cmsg_level"] == SOL_SOCKET:
            mark = sock_cmsg_send(task, message)
            cookie.mark = mark if mark is not None else cookie.mark
        elif (message["cmsg_level"], message["cmsg_type"]) == (SOL_IPV6, IPV6_PKTINFO) and over_ipv6:
            _mapped_pktinfo(cookie, cmsg_bytes(message["cmsg_data"]))
        elif message["cmsg_level"] == SOL_IP:
            _one_message(cookie, message["cmsg_type"], cmsg_bytes(message["cmsg_data"]))
    return cookie


def _mapped_pktinfo(cookie: IpcmCookie, data: bytes) -> None:
    """Read a ``struct in6_pktinfo`` with an IPv4 address inside."""
    inside = ipaddress.IPv6Address(data[:16]).ipv4_mapped if len(data) >= SIZEOF_IN6_PKTINFO else None
    if inside is None:
        raise Errno("EINVAL")
    cookie.oif = struct.unpack_from("<i", data, 16)[0] or cookie.oif
    cookie.addr = str(inside)


def _one_message(cookie: IpcmCookie, kind: int, data: bytes) -> None:
    if kind == IP_PKTINFO:
        if len(data) != SIZEOF_IN_PKTINFO:
            raise Errno("EINVAL")
        index, source = struct.unpack_from("<i4s", data)
        cookie.oif = index or cookie.oif
        cookie.addr = str(ipaddress.IPv4Address(source))
    elif kind == IP_TTL:
        cookie.ttl = _number(data, 1)
    elif kind == IP_TOS:
        cookie.tos = data[0] if len(data) == 1 else _number(data, 0)
    elif kind == IP_PROTOCOL:
        _number(data, 1)
    elif kind == IP_RETOPTS:
        raise NotImplementedError("the model does not know IP options (IP_RETOPTS)")
    else:
        raise Errno("EINVAL")


def _number(data: bytes, least: int) -> int:
    if len(data) != SIZEOF_INT:
        raise Errno("EINVAL")
    value = int.from_bytes(data, "little", signed=True)
    if not least <= value <= U8_MAX:
        raise Errno("EINVAL")
    return value


def pktinfo_prepare(sk: Inet, skb: SkBuff) -> None:
    """Record what IP_PKTINFO delivers, if the socket asks for it by now (``ipv4_pktinfo_prepare()``)."""
    skb.pktinfo = None
    if sk.options.get((SOL_IP, IP_PKTINFO)) and ":" not in skb.daddr:
        # fib_compute_spec_dst(): for a broadcast or a group, the address that one would answer from
        single = address_type(skb.daddr) in ("RTN_LOCAL", "RTN_UNICAST")
        known = skb.addr is not None and skb.addr[0] != ANY
        skb.pktinfo = LOOPBACK_IFINDEX, skb.daddr if single else "127.0.0.1" if known else ANY


def ip_cmsg_recv(sk: Inet, skb: SkBuff, msg: InMessage) -> None:
    """Deliver the control messages that the socket asks for (``ip_cmsg_recv_offset()``); no packet has options."""
    wants = sk.options
    if wants.get((SOL_IP, IP_PKTINFO)):
        index, spec_dst = skb.pktinfo or (0, "0.0.0.0")
        data = struct.pack("<i", index) + _packed(spec_dst) + _packed(skb.daddr)
        put_cmsg(msg, SOL_IP, IP_PKTINFO, data)
    if wants.get((SOL_IP, IP_RECVTTL)):
        put_cmsg(msg, SOL_IP, IP_TTL, struct.pack("<i", skb.hops))
    if wants.get((SOL_IP, IP_RECVTOS)):
        put_cmsg(msg, SOL_IP, IP_TOS, bytes([skb.tos]))
    if wants.get((SOL_IP, IP_RECVORIGDSTADDR)):
        put_cmsg(msg, SOL_IP, IP_RECVORIGDSTADDR, sockaddr_in(skb.daddr, skb.dport))


def _packed(address: str) -> bytes:
    return ipaddress.IPv4Address(address).packed
