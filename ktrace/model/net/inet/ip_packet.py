"""Packets as bytes, for the sockets that see them (``net/ipv4/ip_output.c``, ``net/ipv6/ip6_output.c``)."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ktrace.include.net.ip import IP_DF
from ktrace.model.kernel import Kernel
from ktrace.model.net.inet.addr4 import ANY
from ktrace.model.net.inet.addr6 import is_ipv6
from ktrace.model.net.inet.sock import Inet
from ktrace.state.rule import Rule
from ktrace.uapi.in_ import IP_MTU_DISCOVER, IP_PMTUDISC_DO, IP_PMTUDISC_PROBE, IP_PMTUDISC_WANT
from ktrace.uapi.ip import SIZEOF_IPHDR
from ktrace.uapi.socket import SOL_IP

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

IDENT = Rule("net/ipv4/route.c", "__ip_select_ident", "the identification is a hash with a secret")
FLOW_LABEL = Rule("include/net/ipv6.h", "ip6_make_flowlabel", "the flow label is a hash with a secret")
Places = tuple[tuple[int, int], ...]
"""Pieces of bytes, from and to."""


@dataclass(eq=False)
class IpPacket:
    """One packet on the loopback.

    :param payload: from the transport header on
    :param truesize: charge of its buffer; *paged* bytes of it lie in pages
    :param header: the IPv4 header; empty for IPv6, of whose header no socket sees anything
    :param free: places in header and payload that only the kernel knows, with checksums that must fit in *summed*
    :param routed: where it was routed to, if not to what its header says (IP_HDRINCL)
    :param cloned: a raw sock has a copy
    :param by_hand: a program wrote it, so a checksum in it may be wrong
    """

    saddr: str
    daddr: str
    protocol: int
    payload: bytes
    truesize: int
    paged: int
    hops: int
    tos: int
    header: bytes = b""
    free: Places = ()
    summed: Places = ()
    cloned: bool = False
    mark: int = 0
    routed: str = ""
    by_hand: bool = False

    @property
    def wide(self) -> bool:
        """Tell whether it is an IPv6 packet."""
        return is_ipv6(self.daddr)


def packed(address: str) -> bytes:
    """Return an address as it stands in headers."""
    return ipaddress.ip_address(address).packed


def ones_sum(data: bytes) -> int:
    """Return the ones' complement sum of big-endian words (``csum_partial()``, folded)."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def checksum(data: bytes) -> int:
    """Return the internet checksum of *data* (``csum_fold()``)."""
    return ~ones_sum(data) & 0xFFFF


def pseudo_header(saddr: str, daddr: str, protocol: int, length: int) -> bytes:
    """Return what a transport checksum covers beside its packet (``csum_tcpudp_magic()``, ``csum_ipv6_magic()``)."""
    if is_ipv6(daddr):
        return packed(saddr) + packed(daddr) + struct.pack(">IHBB", length, 0, 0, protocol)
    return packed(saddr) + packed(daddr) + struct.pack(">BBH", 0, protocol, length)


def with_checksum(data: bytes, at: int, cover: bytes = b"") -> bytes:
    """Return *data* with its checksum at *at*, where zeros stand; *cover* is summed, too."""
    return data[:at] + struct.pack(">H", checksum(cover + data)) + data[at + 2 :]


def ip_header(packet: IpPacket, frag_off: int = IP_DF, ident: int = 0) -> bytes:
    """Return the IPv4 header of *packet* (``__ip_make_skb()``)."""
    length = SIZEOF_IPHDR + len(packet.payload)
    header = struct.pack(">BBHHHBBH", 0x45, packet.tos, length, ident, frag_off, packet.hops, packet.protocol, 0)
    return with_checksum(header + packed(packet.saddr) + packed(packet.daddr), 10)


def ipv6_header(packet: IpPacket) -> bytes:
    """Return the IPv6 header of *packet*, with a flow label of 0 (``__ip6_make_skb()``)."""
    first = 6 << 28 | packet.tos << 20
    head = struct.pack(">IHBB", first, len(packet.payload), packet.protocol, packet.hops)
    return head + packed(packet.saddr) + packed(packet.daddr)


def df_and_ident(sk: Inet) -> tuple[int, bool]:
    """Return the DF bit of a sock's packets, and whether only the kernel knows their identification.

    ``__ip_make_skb()``, ``ip_select_ident_segs()``.
    """
    discover = sk.options.get((SOL_IP, IP_MTU_DISCOVER), IP_PMTUDISC_WANT)
    if discover not in (IP_PMTUDISC_WANT, IP_PMTUDISC_DO, IP_PMTUDISC_PROBE):
        return 0, True
    return IP_DF, discover == IP_PMTUDISC_WANT or sk.daddr != ANY


IPHDR_FREE: Places = ((4, 6), (10, 12))
"""Identification and checksum of an IPv4 header."""

IPHDR_SUMMED: Places = ((0, SIZEOF_IPHDR),)


def as_seen(kernel: Kernel, data: bytes, free: Places, summed: Places) -> bytes:
    """Return *data* with the bytes that the kernel put into its *free* places, where its checksums come out right."""
    if not free:
        return data

    def fits(seen: bytes) -> bool:
        if len(seen) > len(data) or _masked(seen, free) != _masked(data, free)[: len(seen)]:
            return False
        return all(end > len(seen) or checksum(seen[start:end]) == 0 for start, end in summed)

    def find(seen: Observed) -> bytes | None:
        # The last one that fits: a packet that looks the same may have come before.
        found = [packet for packet in seen.packets() if packet and fits(packet)]
        whole = [packet for packet in found if len(packet) == len(data)]
        return (whole or found)[-1] if found else None

    chosen = kernel.choose(IDENT if data[0] >> 4 == 4 else FLOW_LABEL, find, fits, data)
    return chosen + data[len(chosen) :]


def _masked(data: bytes, free: Places) -> bytes:
    masked = bytearray(data)
    for start, end in free:
        masked[start:end] = bytes(len(masked[start:end]))
    return bytes(masked)
