"""Packets that arrive: to every raw socket that matches, then to their protocol.

``net/ipv4/ip_input.c: ip_protocol_deliver_rcu()``, ``net/ipv6/ip6_input.c: ip6_protocol_deliver_rcu()``,
``net/ipv4/raw.c``, ``net/ipv6/raw.c``.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ktrace.model.kernel import Kernel
from ktrace.model.net.core.skbuff import SkBuff
from ktrace.model.net.core.sock_callbacks import data_ready
from ktrace.model.net.core.sock_cmsg import net_timestamp_check
from ktrace.model.net.inet.addr4 import ANY
from ktrace.model.net.inet.addr6 import ANY6
from ktrace.model.net.inet.ip_cmsg import pktinfo_prepare
from ktrace.model.net.inet.ip_multicast import ip_check_mc, ip_mc_sf_allow
from ktrace.model.net.inet.ip_packet import IpPacket, as_seen, checksum, pseudo_header
from ktrace.model.net.inet.sock import Inet
from ktrace.state.net.inet import RawSock
from ktrace.uapi.in6 import IPPROTO_ICMPV6
from ktrace.uapi.in_ import IP_PKTINFO, IPPROTO_ICMP, IPPROTO_TCP
from ktrace.uapi.socket import SOCK_RAW, SOL_IP

ICMP_FILTER_TYPES = 32


@dataclass(eq=False)
class Raw(Inet):
    """Mirror one ``struct raw_sock`` or ``struct raw6_sock``; ping sockets are no more than their ``inet_sock``.

    :param filter: types of ICMP that it does not take, as a bit mask
    :param checksum: whether ``rawv6_push_pending_frames()`` puts a checksum at *offset*
    :param drops: packets that were wrong or for which there was no room (``sk_drops``)
    """

    filter: int = 0
    checksum: int = 0
    offset: int = 0
    drops: int = 0

    def view_parts(self) -> dict[str, Any]:
        """Return the parts behind the ``struct sock``."""
        parts = Inet.view_parts(self)
        if self.type == SOCK_RAW:
            parts["raw"] = RawSock(filter=hex(self.filter), checksum=self.checksum, offset=self.offset)
        return parts


Handler = Callable[[Kernel, IpPacket], None]
_HANDLERS: dict[tuple[bool, int], Handler] = {}
_UNREACHABLE: dict[bool, Handler] = {}


def handles(wide: bool, protocol: int) -> Callable[[Handler], Handler]:
    """Register what takes packets of *protocol* (``inet_protos[]``, ``inet6_protos[]``)."""

    def register(handler: Handler) -> Handler:
        _HANDLERS[wide, protocol] = handler
        return handler

    return register


def answers_nobody(wide: bool) -> Callable[[Handler], Handler]:
    """Register what answers packets that nobody takes."""

    def register(handler: Handler) -> Handler:
        _UNREACHABLE[wide] = handler
        return handler

    return register


def raw_hash(kernel: Kernel, wide: bool) -> list[Raw]:
    """Return the raw socks of a family, the last one first (``raw_v4_hashinfo``, ``raw_v6_hashinfo``)."""
    return kernel.net.inet.raw6 if wide else kernel.net.inet.raw


def send(kernel: Kernel, packet: IpPacket, sk: Inet | None = None) -> None:
    """Put a packet onto the loopback: it is received in the softirq that follows, after those before it.

    :param sk: who sent it, and has room for more as soon as it is there (``loopback_xmit()``: ``skb_orphan()``)
    """
    if sk is not None:
        sk.call_write_space(kernel)
    backlog = kernel.net.inet.backlog
    backlog.append(packet)
    if len(backlog) > 1:
        return
    while backlog:
        deliver(kernel, backlog[0])
        backlog.pop(0)


def deliver(kernel: Kernel, packet: IpPacket) -> None:
    """Deliver a packet to raw sockets and to the handler of its protocol."""
    refuse_taps(kernel)
    if not ip_check_mc(kernel, packet.routed or packet.daddr):
        return
    taken = raw_deliver(kernel, packet)
    known = kernel.net.facts.inet6_protos if packet.wide else kernel.net.facts.inet_protos
    handler = _HANDLERS.get((packet.wide, packet.protocol))
    if packet.protocol in known:
        if handler is None:
            raise NotImplementedError(f"the model does not receive packets of protocol {packet.protocol} made by hand")
        handler(kernel, packet)
    elif not taken:
        _UNREACHABLE[packet.wide](kernel, packet)


def raw_deliver(kernel: Kernel, packet: IpPacket) -> bool:
    """Give a copy to every raw sock that matches (``raw_v4_input()``, ``ipv6_raw_deliver()``)."""
    taken = False
    for sk in list(raw_hash(kernel, packet.wide)):
        if not raw_match(sk, packet.wide, packet.protocol, packet.saddr, packet.daddr):
            continue
        taken = True
        if _filtered(sk, packet):
            continue
        if _damaged(sk, packet):
            sk.drops += 1
        else:
            data = as_seen(kernel, packet.header + packet.payload, packet.free, packet.summed)
            packet.header, packet.payload = data[: len(packet.header)], data[len(packet.header) :]
            packet.cloned |= queue_rcv_skb(kernel, sk, packet, data)
    return taken


def raw_match(sk: Raw, wide: bool, protocol: int, remote: str, local: str) -> bool:
    """``raw_v4_match()``, ``raw_v6_match()``."""
    if sk.inet_num != protocol or sk.bound_dev_if not in (0, 1):
        return False
    if wide:
        return sk.v6_daddr in (ANY6, remote) and sk.v6_rcv_saddr in (ANY6, local)
    if ipaddress.IPv4Address(local).is_multicast and not ip_mc_sf_allow(sk, local):
        return False
    return sk.daddr in (ANY, remote) and sk.rcv_saddr in (ANY, local)


def _filtered(sk: Raw, packet: IpPacket) -> bool:
    """``icmp_filter()``, ``icmpv6_filter()``."""
    if packet.wide:
        if packet.protocol != IPPROTO_ICMPV6:
            return False
        return len(packet.payload) < 4 or bool(sk.filter >> packet.payload[0] & 1)
    if packet.protocol != IPPROTO_ICMP:
        return False
    if len(packet.payload) < 8:
        return True
    return packet.payload[0] < ICMP_FILTER_TYPES and bool(sk.filter >> packet.payload[0] & 1)


def _damaged(sk: Raw, packet: IpPacket) -> bool:
    """Tell whether a sock that wants checksums finds a wrong one (``rawv6_rcv()``, ``rawv6_rcv_skb()``).

    What the kernel itself sends has the right one, or none as yet (CHECKSUM_PARTIAL), which nobody looks at.
    """
    if not (packet.wide and packet.by_hand and sk.checksum):
        return False
    cover = pseudo_header(packet.saddr, packet.daddr, sk.inet_num, len(packet.payload))
    return checksum(cover + packet.payload) != 0


def queue_rcv_skb(kernel: Kernel, sk: Raw, packet: IpPacket, data: bytes) -> bool:
    """Queue a copy of a packet that is charged like the packet (``sock_queue_rcv_skb()``, ``skb_clone()``)."""
    if sk.rmem_alloc >= sk.rcvbuf:
        sk.drops += 1
        return False
    skb = SkBuff(data, packet.paged, packet.truesize, sk)
    skb.addr, skb.daddr, skb.hops, skb.tos = (packet.saddr, 0), packet.daddr, packet.hops, packet.tos
    skb.mark = packet.mark
    net_timestamp_check(kernel, skb)
    skb.dropcount = sk.drops if sk.flag("SOCK_RXQ_OVFL") else 0
    if sk.type == SOCK_RAW:
        pktinfo_prepare(sk, skb)
    elif sk.options.get((SOL_IP, IP_PKTINFO)):
        raise NotImplementedError("the model does not know what IP_PKTINFO tells a ping socket")
    sk.rmem_alloc += skb.truesize
    sk.receive_queue.append(skb)
    data_ready(kernel, sk)
    return True


def watched(kernel: Kernel, wide: bool, protocol: int) -> bool:
    """Tell whether a raw socket may see packets of *protocol*."""
    return any(sk.inet_num == protocol for sk in raw_hash(kernel, wide))


def refuse_taps(kernel: Kernel) -> None:
    """Stop where a packet socket would see a frame."""
    if kernel.net.packet.taps:
        raise NotImplementedError("the model does not know the frames that a packet socket sees")


def refuse_watchers(kernel: Kernel, wide: bool) -> None:
    """Stop where a raw or packet socket would see TCP segments."""
    refuse_taps(kernel)
    if watched(kernel, wide, IPPROTO_TCP):
        raise NotImplementedError("the model does not know the TCP segments that a raw socket sees")
