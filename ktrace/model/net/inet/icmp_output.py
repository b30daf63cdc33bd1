"""Messages of ICMP and ICMPv6 on their way out (``net/ipv4/icmp.c``, ``net/ipv6/icmp.c``)."""

from __future__ import annotations

from ktrace.model.kernel import Kernel
from ktrace.model.net.inet.ip_append import HH_LEN, Room, make_skb
from ktrace.model.net.inet.ip_packet import IPHDR_FREE, IPHDR_SUMMED, IpPacket, ip_header, pseudo_header, with_checksum
from ktrace.model.net.inet.sock import DEFAULT_HOPS
from ktrace.uapi.icmp import SIZEOF_ICMPHDR
from ktrace.uapi.in6 import IPPROTO_ICMPV6
from ktrace.uapi.in_ import IPPROTO_ICMP
from ktrace.uapi.ip import SIZEOF_IPHDR
from ktrace.uapi.ipv6 import SIZEOF_IPV6HDR

ICMP4 = Room(SIZEOF_IPHDR, HH_LEN, HH_LEN + 15, SIZEOF_ICMPHDR)
ICMP6 = Room(SIZEOF_IPV6HDR, HH_LEN + 8, HH_LEN + 8, SIZEOF_ICMPHDR)


def icmp_packet(
    kernel: Kernel,
    saddr: str,
    daddr: str,
    message: bytes,
    hops: int = DEFAULT_HOPS,
    tos: int = 0,
    frag_off: int = 0,
    loose: bool = True,
) -> IpPacket:
    """Return a packet with the ICMP *message*, whose checksum is still 0 (``icmp_push_reply()``)."""
    skb = make_skb(kernel, message, room=ICMP4)
    if any(message):
        message = with_checksum(message, 2)
    else:
        # csum_partial_copy_generic() of x86 begins with ~0: zeros sum up to 0xffff, whose complement stays 0.
        kernel.known_bug("icmp-zero-checksum")
    packet = IpPacket(saddr, daddr, IPPROTO_ICMP, message, skb.truesize, skb.data_len, hops, tos)
    packet.header = ip_header(packet, frag_off)
    if loose:
        packet.free, packet.summed = IPHDR_FREE, IPHDR_SUMMED
    return packet


def icmpv6_packet(
    kernel: Kernel, saddr: str, daddr: str, message: bytes, hops: int = DEFAULT_HOPS, tos: int = 0
) -> IpPacket:
    """Return a packet with the ICMPv6 *message*, whose checksum is still 0 (``icmpv6_push_pending_frames()``)."""
    skb = make_skb(kernel, message, room=ICMP6)
    message = with_checksum(message, 2, pseudo_header(saddr, daddr, IPPROTO_ICMPV6, len(message)))
    return IpPacket(saddr, daddr, IPPROTO_ICMPV6, message, skb.truesize, skb.data_len, hops, tos)
