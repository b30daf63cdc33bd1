"""``struct udp_sock``, its ports, and how packets find it (``net/ipv4/udp.c``)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ktrace.include.net.ip import LOOPBACK_IFINDEX
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.reuseport import add_sock, detach, select, wakes
from ktrace.model.net.core.skbuff import SkBuff
from ktrace.model.net.core.sock import Sock
from ktrace.model.net.core.sock_callbacks import data_ready, error_report
from ktrace.model.net.core.sock_cmsg import net_timestamp_check
from ktrace.model.net.inet.addr4 import ANY
from ktrace.model.net.inet.addr6 import ANY6, is_ipv6
from ktrace.model.net.inet.icmp import port_unreachable
from ktrace.model.net.inet.ip6_error import icmpv6_unreachable
from ktrace.model.net.inet.ip_append import HH_LEN, Room
from ktrace.model.net.inet.ip_cmsg import IpcmCookie, pktinfo_prepare
from ktrace.model.net.inet.ip_error import icmp_unreachable
from ktrace.model.net.inet.ip_input import raw_deliver, refuse_taps, watched
from ktrace.model.net.inet.ip_multicast import ip_check_mc, ip_mc_sf_allow
from ktrace.model.net.inet.ip_packet import (
    IPHDR_FREE,
    IPHDR_SUMMED,
    IpPacket,
    df_and_ident,
    ip_header,
    ones_sum,
    pseudo_header,
)
from ktrace.model.net.inet.ports import choose_port, rcv_saddr_equal
from ktrace.model.net.inet.sock import Inet
from ktrace.model.net.inet.socket import address_type
from ktrace.model.task import Errno
from ktrace.state.net.inet import UdpSock
from ktrace.state.net.skbuff import Buffer
from ktrace.state.net.sock import Sock as ObservedSock
from ktrace.state.rule import Rule
from ktrace.uapi.errno import ECONNREFUSED
from ktrace.uapi.in_ import IPPROTO_UDP
from ktrace.uapi.ip import SIZEOF_IPHDR
from ktrace.uapi.ipv6 import SIZEOF_IPV6HDR
from ktrace.uapi.socket import AF_INET
from ktrace.uapi.udp import SIZEOF_UDPHDR, UDP_NO_CHECK6_TX

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

GET_PORT = Rule("net/ipv4/udp.c", "udp_lib_get_port", "any free port")
UDP4 = Room(SIZEOF_IPHDR + SIZEOF_UDPHDR, HH_LEN, HH_LEN + 15)
UDP6 = Room(SIZEOF_IPV6HDR + SIZEOF_UDPHDR, HH_LEN + 8, HH_LEN + 8)
"""``__ip6_append_data()`` reserves a ``struct frag_hdr``."""


@dataclass(eq=False)
class Pending:
    """What UDP_CORK or MSG_MORE holds back (``sk_write_queue``); its destination is the sock's flow.

    :param first: bytes of the first piece, which is linear; later ones are paged
    :param paged: bytes in pages
    :param begun_for: where one over IPv6 was to go when it was begun, *dontfrag* whether in one packet
    :param mark: of its packet, as it was begun
    :param ttl: likewise of one over IPv4, *tos* its type of service; 0 and ``None``: the sock's, when it is sent
    :param limits: hop limit and traffic class of one over IPv6, as it was begun
    """

    data: bytes
    first: int
    charge: int
    paged: int = 0
    family: int = AF_INET
    begun_for: tuple[str, int] | None = None
    dontfrag: bool = False
    mark: int = 0
    ttl: int = 0
    tos: int | None = None
    limits: tuple[int, int] | None = None


def ip_setup_cork(sk: Udp, pending: Pending, cookie: IpcmCookie, keeps_tos: bool | None) -> None:
    """Note what holds for a datagram over IPv4 from its beginning on (``ip_setup_cork()``).

    :param keeps_tos: the type of service of the sock is part of it (``ipcm_init_sk()``)
    """
    pending.ttl = cookie.ttl or 0
    pending.tos = sk.tos if cookie.tos is None and keeps_tos else cookie.tos
    pending.mark = sk.mark if cookie.mark is None else cookie.mark


@dataclass(eq=False)
class Udp(Inet):
    """Mirror one ``struct udp_sock``.

    :param reader_queue: packets that a reader took over from ``sk_receive_queue``
    :param forward_deficit: bytes read whose charge is still to be given back
    :param drops: packets for which there was no room (``sk_drops``)
    """

    pending: Pending | None = None
    corkflag: bool = False
    encap_type: int = 0
    reader_queue: list[SkBuff] = field(default_factory=list)
    forward_deficit: int = 0
    drops: int = 0

    def view_write_queue(self) -> tuple[Buffer, ...]:
        """Return the corked message, whose headers are counted already."""
        if self.pending is None:
            return ()
        data, paged = self.pending.data, self.pending.paged
        headers = (UDP4 if self.pending.family == AF_INET else UDP6).headers
        return (
            Buffer(
                len=headers + len(data), data_len=paged, truesize=self.pending.charge, data=data, sk=self.ref, tstamp=0
            ),
        )

    def corked_over_ipv6(self) -> bool:
        """Tell whether an IPv6 message is held back."""
        return self.pending is not None and self.pending.family != AF_INET

    def view_parts(self) -> dict[str, Any]:
        """Return the parts behind the ``struct sock``."""
        reader = tuple(skb.view() for skb in self.reader_queue)
        pending = self.pending.family if self.pending is not None else 0
        udp = UdpSock(
            pending=pending,
            corkflag=self.corkflag,
            encap_type=self.encap_type,
            reader_queue=reader,
            forward_deficit=self.forward_deficit,
        )
        return {**Inet.view_parts(self), "udp": udp}


def udp_sk(sk: Sock | None) -> Udp:
    """Return *sk*, which is one of UDP (``udp_sk()``)."""
    assert isinstance(sk, Udp)
    return sk


def udp_lib_lport_inuse(kernel: Kernel, sk: Udp, port: int) -> bool:
    """Tell whether somebody's hold on *port* excludes *sk* (``udp_lib_lport_inuse()``)."""
    for other in kernel.net.inet.udp_table(sk.protocol).bound:
        if (
            other is not sk
            and other.inet_num == port
            and not (other.reuse and sk.reuse)
            and not (other.bound_dev_if and sk.bound_dev_if and other.bound_dev_if != sk.bound_dev_if)
            and rcv_saddr_equal(sk, other)
        ):
            return not (other.reuseport and sk.reuseport and other.sock_uid() == sk.sock_uid())
    return False


def udp_lib_get_port(kernel: Kernel, sk: Udp, port: int) -> None:
    """Take a port, any that is free where *port* is 0 (``udp_lib_get_port()``).

    :raises Errno: EADDRINUSE
    """
    if not port:

        def port_of(value: ObservedSock) -> int | None:
            known = {other.inet_num for other in kernel.net.inet.udp_table(sk.protocol).bound}
            if value.inet is None or value.udp is None or value.inet.inet_num in known:
                return None
            return value.inet.inet_num

        try:
            port = choose_port(
                kernel, GET_PORT, sk, port_of, lambda number: not udp_lib_lport_inuse(kernel, sk, number)
            )
        except Errno:
            raise Errno("EADDRINUSE") from None
    elif udp_lib_lport_inuse(kernel, sk, port):
        raise Errno("EADDRINUSE")
    sk.inet_num = port
    if sk not in kernel.net.inet.udp_table(sk.protocol).bound:
        chain = kernel.net.inet.udp_table(sk.protocol).hash
        if sk.reuseport:
            add_sock(sk, [other for other in chain if other.inet_num == port])
        chain.insert(0, sk)
        sk.flags.add("SOCK_RCU_FREE")
        table = kernel.net.inet.udp_table(sk.protocol).bound
        table.insert(len(table) if sk.reuseport and sk.family == "AF_INET6" else 0, sk)


def udp_lib_rehash(kernel: Kernel, sk: Udp) -> None:
    """Move *sk* to the head of its chain after its address changed (``udp_lib_rehash()``)."""
    table = kernel.net.inet.udp_table(sk.protocol).bound
    if sk in table:
        detach(sk)
        table.remove(sk)
        table.insert(0, sk)


def udp_lib_unhash(kernel: Kernel, sk: Udp) -> None:
    """Give the port back (``udp_lib_unhash()``)."""
    table = kernel.net.inet.udp_table(sk.protocol).bound
    if sk in table:
        detach(sk)
        table.remove(sk)
        kernel.net.inet.udp_table(sk.protocol).hash.remove(sk)
        sk.inet_num = 0


def udp_lib_lookup(kernel: Kernel, protocol: int, saddr: str, sport: int, daddr: str, dport: int) -> Udp | None:
    """Return the sock that receives a packet: the best match on its address, then on any.

    ``__udp4_lib_lookup()``, ``__udp6_lib_lookup()``.
    """
    wide = is_ipv6(daddr)
    score_of = compute_score6 if wide else compute_score
    for address in (daddr, ANY6 if wide else ANY):
        best: Udp | None = None
        badness = -1
        for sk in kernel.net.inet.udp_table(protocol).bound:
            score = score_of(sk, saddr, sport, address, dport)
            if score <= badness:
                continue
            best, badness = sk, score
            if sk.state == "TCP_ESTABLISHED":
                continue
            member = select(kernel, sk, (saddr, sport, daddr, dport), _took, _takes_unseen)
            if member is not None:
                assert sk.reuseport_cb is not None
                if not sk.reuseport_cb.has_conns:
                    return member
                best = member
                badness = max(badness, score_of(member, saddr, sport, address, dport))
        if best is not None:
            return best
    return None


def _took(sk: Udp, seen: ObservedSock) -> bool:
    """Tell whether a packet, or an error, is queued that the model does not know."""
    reader = seen.udp.reader_queue if seen.udp is not None else ()
    known = len(sk.receive_queue) + len(sk.reader_queue) + len(sk.error_queue)
    return len(seen.sk_receive_queue) + len(reader) + len(seen.sk_error_queue) > known


def _takes_unseen(seen: Observed, sk: Udp) -> bool:
    """Tell whether a packet leaves no trace: a reader takes it, or there is no room."""
    return wakes(seen, sk) or sk.rmem_alloc > sk.rcvbuf


def compute_score(sk: Udp, saddr: str, sport: int, rcv_saddr: str, port: int) -> int:
    """``compute_score()``; -1 where it does not match."""
    if sk.inet_num != port or sk.ipv6only or sk.rcv_saddr != rcv_saddr or sk.bound_dev_if not in (0, 1):
        return -1
    score = 2 if sk.family == "AF_INET" else 1
    if sk.daddr != ANY:
        if sk.daddr != saddr:
            return -1
        score += 4
    if sk.dport:
        if sk.dport != sport:
            return -1
        score += 4
    return score + 4 * bool(sk.bound_dev_if)


def compute_score6(sk: Udp, saddr: str, sport: int, rcv_saddr: str, port: int) -> int:
    """``compute_score()`` of ``net/ipv6/udp.c``; -1 where it does not match."""
    matches = sk.inet_num == port and sk.family == "AF_INET6" and sk.v6_rcv_saddr == rcv_saddr
    if not matches or sk.dport not in (0, sport) or sk.v6_daddr not in (ANY6, saddr) or sk.bound_dev_if not in (0, 1):
        return -1
    return bool(sk.dport) + (sk.v6_daddr != ANY6) + bool(sk.bound_dev_if)


def transmit(kernel: Kernel, sk: Udp, skb: SkBuff, saddr: str, daddr: str, dport: int, corked: bool = False) -> None:
    """Deliver a packet over the loopback, or tell the sender that nobody is there.

    ``__udp4_lib_rcv()``, ``__udp6_lib_rcv()``.
    """
    # loopback_xmit(): skb_orphan() gives the charge back before the packet arrives (sock_wfree()).
    sk.call_write_space(kernel)
    skb.addr = (saddr, sk.sport)
    skb.daddr = daddr
    hops, tos = sk.hop_limit(daddr)
    skb.hops, skb.tos = skb.hops or hops, tos if skb.own_tos is None else skb.own_tos
    skb.dport = dport
    skb.mark = sk.mark if skb.own_mark is None else skb.own_mark
    net_timestamp_check(kernel, skb)
    refuse_taps(kernel)
    if not ip_check_mc(kernel, daddr):
        return
    packet = _packet(sk, skb, saddr, daddr, dport, corked)
    if sk.protocol == IPPROTO_UDP and watched(kernel, packet.wide, IPPROTO_UDP):
        raw_deliver(kernel, packet)
        if packet.cloned:
            skb.tail_room = -1
    if not packet.wide and address_type(daddr) != "RTN_LOCAL":
        udp_mcast_deliver(kernel, sk.protocol, skb, dport)
        return
    receiver = udp_lib_lookup(kernel, sk.protocol, saddr, sk.sport, daddr, dport)
    if receiver is not None:
        udp_enqueue_schedule_skb(kernel, receiver, skb)
        return
    port_unreachable(kernel, packet)
    # __udp4_lib_err(), __udp6_lib_err(): only the connected hear of it, and who asked for errors.
    origin = udp_lib_lookup(kernel, sk.protocol, daddr, dport, saddr, sk.sport)
    if origin is None:
        return
    if packet.wide and "recverr" in origin.np.bits:
        icmpv6_unreachable(kernel, origin, packet, ECONNREFUSED, dport)
    elif "recverr" in origin.bits and not packet.wide:
        icmp_unreachable(kernel, origin, skb, ECONNREFUSED, dport)
    elif origin.state != "TCP_ESTABLISHED":
        return
    origin.err = ECONNREFUSED
    error_report(kernel, origin)


def _packet(sk: Udp, skb: SkBuff, saddr: str, daddr: str, dport: int, corked: bool) -> IpPacket:
    """Return what a raw socket or an error would show of a packet (``udp_send_skb()``, ``udp_v6_send_skb()``).

    A checksum is left to the device, which is none: only the pseudo header is summed (``udp4_hwcsum()``).
    """
    length = SIZEOF_UDPHDR + len(skb)
    head = struct.pack(">HHH", sk.sport, dport, length)
    total = ones_sum(pseudo_header(saddr, daddr, IPPROTO_UDP, length))
    wide = is_ipv6(daddr)
    if sk.options.get((IPPROTO_UDP, UDP_NO_CHECK6_TX)) if wide else sk.no_check_tx:
        total = 0
    elif corked:
        cover = pseudo_header(saddr, daddr, IPPROTO_UDP, length)
        total = ~ones_sum(cover + head + bytes(2) + skb.data) & 0xFFFF or 0xFFFF
    payload = head + struct.pack(">H", total) + skb.data
    packet = IpPacket(saddr, daddr, IPPROTO_UDP, payload, skb.truesize, skb.data_len, skb.hops, skb.tos)
    packet.mark = skb.mark
    if not wide:
        frag_off, loose = df_and_ident(sk)
        packet.header = ip_header(packet, frag_off)
        if loose:
            packet.free, packet.summed = IPHDR_FREE, IPHDR_SUMMED
    return packet


def udp_mcast_deliver(kernel: Kernel, protocol: int, skb: SkBuff, dport: int) -> None:
    """Give a packet to all that have its port; the first one found gets it last (``__udp4_lib_mcast_deliver()``)."""
    assert skb.addr is not None
    saddr, sport = skb.addr
    multicast = address_type(skb.daddr) == "RTN_MULTICAST"
    takers = [
        sk
        for sk in kernel.net.inet.udp_table(protocol).bound
        if sk.inet_num == dport
        and not sk.ipv6only
        and sk.daddr in (ANY, saddr)
        and sk.dport in (0, sport)
        and sk.rcv_saddr in (ANY, skb.daddr)
        and sk.bound_dev_if in (0, LOOPBACK_IFINDEX)
        and (not multicast or ip_mc_sf_allow(sk, skb.daddr))
    ]
    for sk in (*takers[1:], *takers[:1]):
        udp_enqueue_schedule_skb(kernel, sk, replace(skb) if len(takers) > 1 else skb)


def udp_enqueue_schedule_skb(kernel: Kernel, sk: Udp, skb: SkBuff) -> None:
    """Queue a packet, or drop it where the receive buffer is full (``__udp_enqueue_schedule_skb()``)."""
    overflows = sk.rmem_alloc and sk.rmem_alloc + skb.truesize > sk.rcvbuf
    if sk.rmem_alloc > sk.rcvbuf or (overflows and kernel.changes.udp_drops_unless_empty):
        sk.drops += 1
        return
    if sk.rmem_alloc > sk.rcvbuf >> 1:
        skb_condense(skb)
    if sk.rmem_alloc + skb.truesize > skb.truesize + sk.rcvbuf:
        sk.drops += 1
        return
    pktinfo_prepare(sk, skb)
    skb.dropcount = sk.drops if sk.flag("SOCK_RXQ_OVFL") else 0
    sk.rmem_alloc += skb.truesize
    sk.receive_queue.append(skb)
    data_ready(kernel, sk)


def skb_condense(skb: SkBuff) -> None:
    """Pull paged bytes into the head where there is room for them (``skb_condense()``)."""
    if skb.data_len > skb.tail_room:
        return
    skb.truesize -= skb.data_len
    skb.tail_room -= skb.data_len
    skb.data_len = 0


def udp_rmem_release(sk: Udp, size: int) -> None:
    """Give the charge of a packet back, in portions while others wait (``udp_rmem_release()``)."""
    sk.forward_deficit += size
    size = sk.forward_deficit
    if size < sk.rcvbuf >> 2 and sk.reader_queue:
        return
    sk.forward_deficit = 0
    sk.rmem_alloc -= size
    skb_queue_splice_tail_init(sk)


def skb_queue_splice_tail_init(sk: Udp) -> None:
    """Hand all that arrived to the readers (``skb_queue_splice_tail_init()``)."""
    sk.reader_queue.extend(sk.receive_queue)
    sk.receive_queue.clear()


def first_packet_length(sk: Udp) -> int:
    """Return the length of the first packet, -1 without one (``first_packet_length()``)."""
    if not sk.reader_queue and sk.receive_queue:
        skb_queue_splice_tail_init(sk)
    return len(sk.reader_queue[0]) if sk.reader_queue else -1
