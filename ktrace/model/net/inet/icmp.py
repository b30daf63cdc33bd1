"""ICMP and ICMPv6: echoes, and packets that nobody takes (``net/ipv4/icmp.c``, ``net/ipv6/icmp.c``)."""

from __future__ import annotations

import struct

from ktrace.model.kernel import Kernel
from ktrace.model.net.core.sock_callbacks import error_report
from ktrace.model.net.inet.icmp_output import icmp_packet, icmpv6_packet
from ktrace.model.net.inet.ip_input import (
    answers_nobody,
    handles,
    queue_rcv_skb,
    raw_deliver,
    raw_hash,
    raw_match,
    send,
    watched,
)
from ktrace.model.net.inet.ip_packet import IpPacket, Places, checksum, ipv6_header, pseudo_header
from ktrace.model.net.inet.raw.ping import ping_lookup
from ktrace.model.net.inet.socket import address_type
from ktrace.uapi.errno import ECONNREFUSED, ENOPROTOOPT, EPROTO
from ktrace.uapi.icmp import (
    ICMP_DEST_UNREACH,
    ICMP_ECHO,
    ICMP_ECHOREPLY,
    ICMP_PARAMETERPROB,
    ICMP_PORT_UNREACH,
    ICMP_PROT_UNREACH,
    ICMP_REDIRECT,
    ICMP_SOURCE_QUENCH,
    ICMP_TIME_EXCEEDED,
    ICMP_TIMESTAMP,
    SIZEOF_ICMPHDR,
)
from ktrace.uapi.icmpv6 import (
    ICMPV6_DEST_UNREACH,
    ICMPV6_ECHO_REPLY,
    ICMPV6_ECHO_REQUEST,
    ICMPV6_PARAMPROB,
    ICMPV6_PORT_UNREACH,
    ICMPV6_UNK_NEXTHDR,
)
from ktrace.uapi.in6 import IPPROTO_ICMPV6
from ktrace.uapi.in_ import IPPROTO_ICMP
from ktrace.uapi.ip import IPTOS_PREC_INTERNETCONTROL, IPTOS_TOS_MASK, SIZEOF_IPHDR
from ktrace.uapi.ipv6 import SIZEOF_IPV6HDR

ROOM4, ROOM6 = 576 - SIZEOF_IPHDR - SIZEOF_ICMPHDR, 1280 - SIZEOF_IPV6HDR - SIZEOF_ICMPHDR
"""Bytes of a packet that an error quotes."""


@handles(False, IPPROTO_ICMP)
def icmp_rcv(kernel: Kernel, packet: IpPacket) -> None:
    """Take an ICMP message (``icmp_rcv()``)."""
    message = packet.payload
    if len(message) < SIZEOF_ICMPHDR or checksum(message):
        return
    kind = message[0]
    if address_type(packet.routed or packet.daddr) in ("RTN_MULTICAST", "RTN_BROADCAST"):
        return  # echoes to many are ignored (icmp_echo_ignore_broadcasts), other messages are no good
    if kind == ICMP_ECHO:
        # icmp_echo(), icmp_reply(): no route leads to or from an address that is not this machine's.
        if {address_type(packet.saddr), address_type(packet.daddr)} != {"RTN_LOCAL"}:
            return
        reply = bytes([ICMP_ECHOREPLY, message[1], 0, 0]) + message[4:]
        send(kernel, icmp_packet(kernel, packet.daddr, packet.saddr, reply, tos=packet.tos))
    elif kind == ICMP_ECHOREPLY:
        ping_rcv(kernel, packet)
    elif kind in (
        ICMP_DEST_UNREACH, ICMP_SOURCE_QUENCH, ICMP_REDIRECT, ICMP_TIME_EXCEEDED, ICMP_PARAMETERPROB, ICMP_TIMESTAMP,
    ):  # fmt: skip
        raise NotImplementedError(f"the model does not know what an ICMP message of type {kind} made by hand does")


@handles(True, IPPROTO_ICMPV6)
def icmpv6_rcv(kernel: Kernel, packet: IpPacket) -> None:
    """Take an ICMPv6 message (``icmpv6_rcv()``)."""
    message = packet.payload
    cover = pseudo_header(packet.saddr, packet.daddr, IPPROTO_ICMPV6, len(message))
    if len(message) < SIZEOF_ICMPHDR or checksum(cover + message):
        return
    kind = message[0]
    if kind == ICMPV6_ECHO_REQUEST:
        # icmpv6_echo_reply()
        reply = bytes([ICMPV6_ECHO_REPLY, message[1], 0, 0]) + message[4:]
        send(kernel, icmpv6_packet(kernel, packet.daddr, packet.saddr, reply, tos=packet.tos))
    elif kind == ICMPV6_ECHO_REPLY:
        ping_rcv(kernel, packet)
    elif kind < ICMPV6_ECHO_REQUEST or 130 <= kind <= 137:
        raise NotImplementedError(f"the model does not know what an ICMPv6 message of type {kind} made by hand does")


def ping_rcv(kernel: Kernel, packet: IpPacket) -> None:
    """Queue an echo reply on the ping socket with its identifier (``ping_rcv()``)."""
    sk = ping_lookup(kernel, packet, struct.unpack_from(">H", packet.payload, 4)[0])
    if sk is not None:
        queue_rcv_skb(kernel, sk, packet, packet.payload)


# -- errors ----------------------------------------------------------------------------------------


@answers_nobody(False)
def protocol_unreachable(kernel: Kernel, packet: IpPacket) -> None:
    """Answer a packet of an unknown protocol with ICMP_PROT_UNREACH (``ip_protocol_deliver_rcu()``)."""
    unreachable(kernel, packet, ICMP_PROT_UNREACH, ENOPROTOOPT)


@answers_nobody(True)
def unknown_next_header(kernel: Kernel, packet: IpPacket) -> None:
    """Answer a packet with an unknown next header with ICMPV6_UNK_NEXTHDR (``ip6_protocol_deliver_rcu()``)."""
    _send_error6(kernel, packet, ICMPV6_PARAMPROB, ICMPV6_UNK_NEXTHDR, 6)
    _tell_raw(kernel, packet, EPROTO)


def port_unreachable(kernel: Kernel, packet: IpPacket) -> None:
    """Answer a packet to a closed port with an ICMP error (``icmp_send()``, ``icmpv6_send()``)."""
    if packet.wide:
        _send_error6(kernel, packet, ICMPV6_DEST_UNREACH, ICMPV6_PORT_UNREACH, 0)
        _tell_raw(kernel, packet, ECONNREFUSED)
    else:
        unreachable(kernel, packet, ICMP_PORT_UNREACH, ECONNREFUSED)


def unreachable(kernel: Kernel, packet: IpPacket, code: int, error: int) -> None:
    """Send an ICMP_DEST_UNREACH about *packet* and report it to the raw sockets that sent it (``icmp_unreach()``).

    None is sent where no route leads from where it went (``icmp_route_lookup()``), or where it went to many.
    """
    if address_type(packet.daddr) != "RTN_LOCAL":
        return
    if watched(kernel, False, IPPROTO_ICMP):
        quoted = (packet.header + packet.payload)[:ROOM4]
        message = bytes([ICMP_DEST_UNREACH, code, 0, 0]) + bytes(4) + quoted
        tos = packet.tos & IPTOS_TOS_MASK | IPTOS_PREC_INTERNETCONTROL
        answer = icmp_packet(kernel, packet.daddr, packet.saddr, message, tos=tos)
        at = SIZEOF_IPHDR + SIZEOF_ICMPHDR
        answer.free += ((SIZEOF_IPHDR + 2, SIZEOF_IPHDR + 4), *_shifted(packet.free, at))
        end = SIZEOF_IPHDR + len(message)
        answer.summed += ((SIZEOF_IPHDR, end), *_shifted(packet.summed, at))
        _deliver_error(kernel, answer)
    _tell_raw(kernel, packet, error)


def icmpv6_error(kernel: Kernel, packet: IpPacket, kind: int, code: int, info: int) -> IpPacket:
    """Return the ICMPv6 error that answers *packet*, which it quotes (``icmp6_send()``)."""
    quoted = (ipv6_header(packet) + packet.payload)[:ROOM6]
    message = bytes([kind, code, 0, 0]) + struct.pack(">I", info) + quoted
    return icmpv6_packet(kernel, packet.daddr, packet.saddr, message)


def _send_error6(kernel: Kernel, packet: IpPacket, kind: int, code: int, info: int) -> None:
    """Send an ICMPv6 error about *packet* (``icmp6_send()``)."""
    if not watched(kernel, True, IPPROTO_ICMPV6):
        return
    answer = icmpv6_error(kernel, packet, kind, code, info)
    # The flow label of the quoted header, and the checksum over it.
    answer.free = ((2, 4), (SIZEOF_ICMPHDR + 1, SIZEOF_ICMPHDR + 4))
    _deliver_error(kernel, answer)


def _deliver_error(kernel: Kernel, answer: IpPacket) -> None:
    """Queue an ICMP error on raw sockets; its caller reports it to the packet's sender."""
    raw_deliver(kernel, answer)


def _shifted(places: Places, by: int) -> Places:
    return tuple((start + by, end + by) for start, end in places)


def _tell_raw(kernel: Kernel, packet: IpPacket, error: int) -> None:
    """Report an error to raw sockets connected to where *packet* went (``raw_icmp_error()``, ``raw6_icmp_error()``)."""
    if len(packet.payload) < SIZEOF_ICMPHDR:
        return
    for sk in list(raw_hash(kernel, packet.wide)):
        matches = raw_match(sk, packet.wide, packet.protocol, packet.daddr, packet.saddr)
        if matches and "recverr" in (sk.np.bits if packet.wide else sk.bits):
            raise NotImplementedError("the model does not queue ICMP errors on raw sockets")
        if matches and sk.state == "TCP_ESTABLISHED":
            sk.err = error
            error_report(kernel, sk)
