"""Read ``struct inet_sock``, ``udp_sock`` and ``raw_sock`` behind a ``struct sock`` (``include/net/inet_sock.h``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ktrace.include.net import inet_sock
from ktrace.inspect.inspector import Observation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.lib.list import for_each_next
from ktrace.inspect.members import constant, lacking
from ktrace.inspect.memory import Place
from ktrace.inspect.net.core.family import SockPart, plain_buffers
from ktrace.inspect.net.core.skbuff import MAX_QUEUED, BufferReader, Packet
from ktrace.inspect.net.core.sock_names import dotted, ntohs, unnamed
from ktrace.inspect.net.inet.sock6 import Inet6Reader
from ktrace.inspect.net.inet.tcp import TcpReader
from ktrace.state.net.inet import InetSock, RawSock, UdpSock
from ktrace.state.net.skbuff import Buffer
from ktrace.state.ref import Ref
from ktrace.state.unread import Unread
from ktrace.uapi.in_ import IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE
from ktrace.uapi.named import by_number, family
from ktrace.uapi.socket import AF_INET, AF_INET6, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM
from ktrace.uapi.udp import SIZEOF_UDPHDR

INET_BITS = (
    "recverr", "is_icsk", "freebind", "hdrincl", "mc_loop", "transparent", "mc_all", "nodefrag",
    "bind_address_no_port", "recverr_rfc4884", "defer_connect",
)  # fmt: skip
CMSG_FLAGS = by_number(family(inet_sock, "IP_CMSG_"), "IP_CMSG_")
"""``inet_sock.cmsg_flags``."""

CORKED = 0x1


class InetReader:
    """Read what only an AF_INET or AF_INET6 sock has."""

    def __init__(self, kernel: LiveKernel, buffers: BufferReader) -> None:
        prog = kernel.prog
        self.buffers = buffers
        self.inet6 = Inet6Reader(kernel)
        self.tcp = TcpReader(kernel, buffers)
        self.inet = layout_of(
            prog, "struct inet_sock", "inet_saddr", "uc_ttl", "inet_sport", "tos",
            "min_ttl", "pmtudisc", "mc_ttl", "mc_index", "mc_addr", "mc_list",
            num="sk.__sk_common.skc_num", dport="sk.__sk_common.skc_dport",
            rcv_saddr="sk.__sk_common.skc_rcv_saddr", daddr="sk.__sk_common.skc_daddr",
        )  # fmt: skip
        self.bits = layout_of(
            prog, "struct inet_sock", *(f"?{name}" for name in INET_BITS), "?cmsg_flags", "?inet_flags"
        )
        self.flags = {name: constant(prog, f"INET_FLAGS_{name.upper()}") for name in INET_BITS}
        self._no_bits: Unread | None = None
        for name, bit in self.flags.items():
            if name not in self.bits.offsets and (bit is None or "inet_flags" not in self.bits.offsets):
                self._no_bits = lacking(prog, "struct inet_sock", name if bit is None else "inet_flags")
        self._no_cmsg_flags = lacking(prog, "struct inet_sock", "inet_flags", "cmsg_flags")
        self._no_corkflag = lacking(prog, "struct udp_sock", "udp_flags", "corkflag")
        self.membership = layout_of(
            prog, "struct ip_mc_socklist", "next_rcu", group="multi.imr_multiaddr.s_addr", index="multi.imr_ifindex"
        )
        self.udp = layout_of(
            prog, "struct udp_sock", "pending", "encap_type", "forward_deficit", "?corkflag", "?udp_flags",
            reader_first="reader_queue.next",
        )  # fmt: skip
        self.raw = layout_of(prog, "struct raw_sock", "filter.data")
        self.raw6 = layout_of(prog, "struct raw6_sock", "checksum", "offset", "&filter")
        self.reader_queue = self.udp.offsets["reader_first"]

    def read(
        self, observation: Observation, address: int, sock: Any, received: list[Packet], unsent: list[Packet]
    ) -> SockPart:
        """Return the part of IPv4, IPv6 and the protocols above of the sock at *address*."""
        memory = observation.memory
        raw = memory.read(address, self.inet.size)
        inet, groups = self._inet(observation, raw)
        part = SockPart(
            members={"inet": inet},
            size=self.inet.size,
            receive_queue=plain_buffers(received),
            write_queue=(),
            places=groups,
        )
        more: Sequence[Place] | None
        if sock.family == AF_INET6:
            ipv6, more = self.inet6.read(observation, raw)
            part = _joined(part, {"ipv6": ipv6}, more)
        sk_type, sk_protocol = int(sock.sk_type), int(sock.sk_protocol)  # which structure it is
        if sk_type == SOCK_RAW:
            value, size = self._raw(observation, address, sock.family)
            part = _joined(part, {"raw": value}, (), size=size)
        if sk_type == SOCK_STREAM and sk_protocol == IPPROTO_TCP:
            tcp, receive_queue, children, more = self.tcp.read(observation, address, sock.state, received)
            write_queue = self.tcp.unsent(unsent)
            part = _joined(part, {"tcp": tcp}, more, size=self.tcp.tcp.size, receive_queue=receive_queue)
            return part._replace(write_queue=write_queue, leads_to=children, merges=True)
        if sk_type == SOCK_DGRAM and sk_protocol in (IPPROTO_UDP, IPPROTO_UDPLITE):
            udp, more = self._udp(observation, address)
            part = _joined(part, {"udp": udp}, more, size=self.udp.size)
        return part._replace(write_queue=tuple(map(_corked, unsent)))

    def _inet(self, observation: Observation, raw: bytes) -> tuple[InetSock, list[Place]]:
        """Decode a ``struct inet_sock``."""
        found = self.inet.unpack(raw, 0)
        bits = self.bits.unpack(raw, 0)
        groups, places = self._groups(observation, found.mc_list)
        inet = InetSock(
            inet_num=found.num,
            inet_sport=ntohs(found.inet_sport),
            inet_dport=ntohs(found.dport),
            inet_saddr=dotted(found.inet_saddr),
            inet_rcv_saddr=dotted(found.rcv_saddr),
            inet_daddr=dotted(found.daddr),
            uc_ttl=found.uc_ttl,
            tos=found.tos,
            bits=self._bits(bits),
            cmsg_flags=self._cmsg_flags(bits),
            min_ttl=found.min_ttl,
            pmtudisc=found.pmtudisc,
            mc_ttl=found.mc_ttl,
            mc_index=found.mc_index,
            mc_addr=dotted(found.mc_addr),
            mc_list=groups,
        )
        return inet, places

    def _groups(self, observation: Observation, first: int) -> tuple[tuple[str, ...], list[Place]]:
        """Return ``mc_list``: each group with its interface."""
        memory, layout, found = observation.memory, self.membership, []
        places: list[Place] = []
        for entry in for_each_next(memory, first, "inet_sock.mc_list", MAX_QUEUED, layout.offsets["next_rcu"]):
            places.append((entry, memory.read(entry, layout.size)))
            member = layout.unpack(places[-1][1], 0)
            found.append(f"{dotted(member.group)} {member.index}")
        return tuple(found), places

    def _raw(self, observation: Observation, address: int, family: int) -> tuple[RawSock, int]:
        """Return the part of a raw sock, and the bytes of its whole object."""
        if family == AF_INET:
            mask = self.raw.read(observation.memory, address).filter_data
            return RawSock(filter=hex(mask), checksum=0, offset=0), self.raw.size
        found = self.raw6.read(observation.memory, address)
        mask = int.from_bytes(found.filter, "little")
        return RawSock(filter=hex(mask), checksum=found.checksum, offset=found.offset), self.raw6.size

    def _udp(self, observation: Observation, address: int) -> tuple[UdpSock, Sequence[Place] | None]:
        found = self.udp.read(observation.memory, address)
        waiting = list(self.buffers.for_each_skb(observation.memory, address + self.reader_queue, found.reader_first))
        udp = UdpSock(
            pending=found.pending,
            corkflag=self._corkflag(found),
            encap_type=found.encap_type,
            reader_queue=plain_buffers(waiting),
            forward_deficit=found.forward_deficit,
        )
        return udp, None if waiting else ()

    def _corkflag(self, found: Any) -> Any:
        if self._no_corkflag is not None:
            return unnamed(self._no_corkflag)
        return bool(found.udp_flags & CORKED if found.corkflag is None else found.corkflag)

    def _bits(self, found: Any) -> Any:
        if self._no_bits is not None:
            return unnamed(self._no_bits)
        names = []
        for name, bit in self.flags.items():
            value = getattr(found, name)
            if found.inet_flags >> bit & 1 if value is None else value:
                names.append(name)
        return tuple(sorted(names))

    def _cmsg_flags(self, found: Any) -> Any:
        flags: Any = self._no_cmsg_flags
        if flags is None:
            flags = found.inet_flags if found.cmsg_flags is None else found.cmsg_flags
        if isinstance(flags, Unread):
            return unnamed(flags)
        return tuple(name for bit, name in CMSG_FLAGS.items() if flags & bit)


def _joined(part: SockPart, members: dict[str, Any], places: Sequence[Place] | None, **changed: Any) -> SockPart:
    """Return a part with what the protocol above adds to it."""
    both = None if part.places is None or places is None else (*part.places, *places)
    return part._replace(members={**part.members, **members}, places=both, **changed)


def _corked(packet: Packet) -> Buffer:
    """Return a message that is being put together, without the room for its headers."""
    skb = packet.skb
    # ip_append_data() has left room for the headers: nothing is in there yet.
    headers = skb.head + skb.transport_header - skb.data + SIZEOF_UDPHDR
    return Buffer(
        len=skb.len,
        data_len=skb.data_len,
        truesize=skb.truesize,
        data=packet.data[headers:],
        sk=Ref("sock", skb.sk) if skb.sk else None,
        tstamp=skb.tstamp,
    )
