"""Read ``struct inet_sock``, ``tcp_sock`` and ``udp_sock`` behind a ``struct sock``."""

from __future__ import annotations

from typing import Any

import drgn

from ktrace.include.net.tcp_states import TCP_CLOSE, TCP_LISTEN
from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.inspector import Observation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import Layout
from ktrace.inspect.net.core.skbuff import MAX_QUEUED, BufferReader, Packet
from ktrace.inspect.net.core.sock_names import dotted, ntohs
from ktrace.inspect.net.inet.sock6 import Inet6Reader
from ktrace.state.net.inet import InetSock, RawSock, TcpSock, UdpSock
from ktrace.state.net.skbuff import Buffer
from ktrace.state.ref import Ref
from ktrace.uapi.in_ import IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE
from ktrace.uapi.socket import AF_INET, AF_INET6, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM
from ktrace.uapi.udp import SIZEOF_UDPHDR

INET_BITS = (
    "recverr", "is_icsk", "freebind", "hdrincl", "mc_loop", "transparent", "mc_all", "nodefrag",
    "bind_address_no_port", "recverr_rfc4884", "defer_connect",
)  # fmt: skip
CMSG_FLAGS = {
    1: "PKTINFO", 2: "TTL", 4: "TOS", 8: "RECVOPTS", 16: "RETOPTS", 32: "PASSSEC", 64: "ORIGDSTADDR", 128: "CHECKSUM",
    256: "RECVFRAGSIZE",
}  # fmt: skip
"""``IP_CMSG_*`` (``include/net/inet_sock.h``)."""

CORKED = 0x1


def plain_buffer(packet: Packet) -> Buffer:
    """Return a packet of a family that keeps nothing of its own in it."""
    skb = packet.skb
    return Buffer(skb.len, skb.data_len, skb.truesize, packet.data, Ref("sock", skb.sk) if skb.sk else None)


class InetReader:
    """Read what IPv4, TCP and UDP keep behind a ``struct sock``."""

    def __init__(self, kernel: LiveKernel, buffers: BufferReader) -> None:
        prog = kernel.prog
        self.kernel = kernel
        self.buffers = buffers
        self.symbol = kernel.symbol
        self.inet6 = Inet6Reader(kernel)
        self.inet = Layout(
            prog, "struct inet_sock", "inet_saddr", "uc_ttl", "inet_sport", "tos",
            "min_ttl", "pmtudisc", "mc_ttl", "mc_index", "mc_addr", "mc_list",
            num="sk.__sk_common.skc_num", dport="sk.__sk_common.skc_dport",
            rcv_saddr="sk.__sk_common.skc_rcv_saddr", daddr="sk.__sk_common.skc_daddr",
        )  # fmt: skip
        self.bits = Layout(prog, "struct inet_sock", *(f"?{name}" for name in INET_BITS), "?cmsg_flags", "?inet_flags")
        self.flags = {name: _constant(prog, f"INET_FLAGS_{name.upper()}") for name in INET_BITS}
        self.tcp = Layout(
            prog, "struct tcp_sock", "bytes_received", "bytes_sent", "bytes_retrans", "rcv_nxt", "copied_seq",
            "snd_nxt", "snd_una", "write_seq", "urg_data", "keepalive_probes", "keepalive_time", "keepalive_intvl",
            "linger2", "notsent_lowat",
            accept_head="inet_conn.icsk_accept_queue.rskq_accept_head", qlen="inet_conn.icsk_accept_queue.qlen.counter",
            defer_accept="inet_conn.icsk_accept_queue.rskq_defer_accept",
            af_ops="inet_conn.icsk_af_ops",
            rtx="inet_conn.icsk_inet.sk.tcp_rtx_queue.rb_node", syn_retries="inet_conn.icsk_syn_retries",
            ca_ops="inet_conn.icsk_ca_ops",
            user_timeout="inet_conn.icsk_user_timeout",
        )  # fmt: skip
        self.membership = Layout(
            prog, "struct ip_mc_socklist", "next_rcu",
            group="multi.imr_multiaddr.s_addr", index="multi.imr_ifindex",
        )  # fmt: skip
        self.nonagle = Layout(prog, "struct tcp_sock", "nonagle")
        self.request = Layout(prog, "struct request_sock", "dl_next", "sk")
        self.tcp_cb = Layout(prog, "struct tcp_skb_cb", "seq", "end_seq", "tcp_flags")
        self.udp = Layout(
            prog, "struct udp_sock", "pending", "encap_type", "forward_deficit", "?corkflag", "?udp_flags",
            reader_first="reader_queue.next",
        )  # fmt: skip
        self.raw = Layout(prog, "struct raw_sock", "filter.data")
        self.raw6 = Layout(prog, "struct raw6_sock", "checksum", "offset", "&filter")
        self.reader_queue = self.udp.offsets["reader_first"]

    def read(self, observation: Observation, address: int, sock: Any, more: list[int]) -> dict[str, Any]:
        """Return the family's parts of ``state.socket.Sock`` for the sock at *address*.

        :param sock: its unpacked ``struct sock``
        :param more: gets the addresses of the socks it points at
        """
        if sock.family not in (AF_INET, AF_INET6):
            return {}
        memory = observation.memory
        raw = memory.read(address, self.inet.size)
        found = self.inet.unpack(raw, 0)
        bits = self.bits.unpack(raw, 0)
        parts: dict[str, Any] = {
            "inet": InetSock(
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
                mc_list=self._groups(observation, found.mc_list) if found.mc_list else (),
            )
        }
        if sock.family == AF_INET6:
            parts["ipv6"] = self.inet6.read(observation, raw)
        if sock.sk_type == SOCK_RAW:
            parts["raw"] = self._raw(observation, address, sock.family)
        if sock.sk_type == SOCK_STREAM and sock.sk_protocol == IPPROTO_TCP:
            parts["tcp"] = self._tcp(observation, address, sock.state, more)
        elif sock.sk_type == SOCK_DGRAM and sock.sk_protocol in (IPPROTO_UDP, IPPROTO_UDPLITE):
            parts["udp"] = self._udp(observation, address)
        return parts

    def _raw(self, observation: Observation, address: int, family: int) -> RawSock:
        if family == AF_INET:
            return RawSock(hex(self.raw.read(observation.memory, address).filter_data), 0, 0)
        found = self.raw6.read(observation.memory, address)
        return RawSock(hex(int.from_bytes(found.filter, "little")), found.checksum, found.offset)

    def _groups(self, observation: Observation, first: int) -> tuple[str, ...]:
        """Return ``mc_list``: each group with its interface."""
        found: list[str] = []
        for _ in range(MAX_QUEUED):
            if not first:
                return tuple(found)
            entry = self.membership.read(observation.memory, first)
            found.append(f"{dotted(entry.group)} {entry.index}")
            first = entry.next_rcu
        raise CorruptStructure("inet_sock.mc_list", first, "does not end")

    def _udp(self, observation: Observation, address: int) -> UdpSock:
        found = self.udp.read(observation.memory, address)
        waiting = self.buffers.for_each_skb(observation.memory, address + self.reader_queue, found.reader_first)
        reader = tuple(plain_buffer(packet) for packet in waiting)
        corked = found.corkflag if found.corkflag is not None else found.udp_flags & CORKED
        return UdpSock(found.pending, bool(corked), found.encap_type, reader, found.forward_deficit)

    def _bits(self, found: Any) -> tuple[str, ...]:
        if found.inet_flags is None:
            return tuple(sorted(name for name in INET_BITS if getattr(found, name)))
        flags: int = found.inet_flags
        return tuple(sorted(name for name, bit in self.flags.items() if bit is not None and flags >> bit & 1))

    def _cmsg_flags(self, found: Any) -> tuple[str, ...]:
        flags: int = found.inet_flags if found.cmsg_flags is None else found.cmsg_flags
        return tuple(name for bit, name in CMSG_FLAGS.items() if flags & bit)

    def _tcp(self, observation: Observation, address: int, state: int, more: list[int]) -> TcpSock:
        raw = observation.memory.read(address, self.tcp.size)
        found = self.tcp.unpack(raw, 0)
        children = tuple(self._accept_queue(observation, found.accept_head)) if found.accept_head else ()
        more.extend(children)
        counted = state not in (TCP_CLOSE, TCP_LISTEN)
        return TcpSock(
            unacked=found.snd_nxt - found.snd_una & 0xFFFFFFFF if counted else None,
            unsent=found.write_seq - found.snd_nxt & 0xFFFFFFFF if counted else None,
            unread=found.rcv_nxt - found.copied_seq & 0xFFFFFFFF,
            tcp_rtx_queue=self._unacked(observation, found.rtx, found.snd_una) if found.rtx else b"",
            bytes_sent=found.bytes_sent - found.bytes_retrans,
            bytes_received=found.bytes_received,
            accept_queue=tuple(Ref("sock", child) for child in children),
            syn_queue=found.qlen,
            nonagle=self.nonagle.unpack(raw, 0).nonagle,
            linger2=found.linger2,
            defer_accept=found.defer_accept,
            keepalive_time=found.keepalive_time,
            keepalive_intvl=found.keepalive_intvl,
            keepalive_probes=found.keepalive_probes,
            icsk_syn_retries=found.syn_retries,
            icsk_ca_ops=self.symbol(found.ca_ops) if found.ca_ops else "",
            icsk_user_timeout=found.user_timeout,
            notsent_lowat=found.notsent_lowat,
            urg_data=found.urg_data,
            icsk_af_ops=self.kernel.symbol(found.af_ops),
        )

    def _accept_queue(self, observation: Observation, request: int) -> list[int]:
        children: list[int] = []
        first = request
        for _ in range(MAX_QUEUED):
            if not request:
                return children
            found = self.request.read(observation.memory, request)
            children.append(found.sk)
            request = found.dl_next
        raise CorruptStructure("request_sock_queue.rskq_accept_head", first, "does not end")

    def unread(self, packets: list[Packet], observation: Observation, address: int) -> tuple[Buffer, ...]:
        """Return the bytes of a TCP receive queue that nobody read yet, as one buffer.

        Where one ``sk_buff`` ends and the next begins depends on whether the sender's copy had been
        acknowledged when the next arrived (``tcp_try_coalesce()``: not into a cloned buffer), so on
        timers; the bytes do not.
        """
        copied = self.tcp.read(observation.memory, address).copied_seq
        data = bytearray()
        for packet in packets:
            skip = copied - self.tcp_cb.unpack(packet.skb.cb, 0).seq & 0xFFFFFFFF
            if skip < 1 << 31:
                data += packet.data[skip:]
            else:
                data += packet.data
        return (Buffer(len(data), None, None, bytes(data), None),) if data else ()

    def _unacked(self, observation: Observation, root: int, una: int) -> bytes:
        """Return the bytes of ``tcp_rtx_queue`` from *una* on, the first that is not acknowledged."""
        data = bytearray()
        for packet in self.buffers.for_each_in_tree(observation.memory, root):
            skip = una - self.tcp_cb.unpack(packet.skb.cb, 0).seq & 0xFFFFFFFF
            data += packet.data[skip:] if skip < 1 << 31 else packet.data
        return bytes(data)

    def unsent(self, packets: list[Packet], is_tcp: bool) -> tuple[Buffer, ...]:
        """Return a write queue: TCP's bytes as one buffer, else each message without the headers that it has no room
        in yet."""
        if not packets:
            return ()
        if is_tcp:
            data = b"".join([packet.data for packet in packets])
            return (Buffer(len(data), None, None, data, None),) if data else ()
        found = []
        for packet in packets:
            skb = packet.skb
            # ip_append_data() has left room for the headers: nothing is in there yet.
            headers = skb.head + skb.transport_header - skb.data + SIZEOF_UDPHDR
            sk = Ref("sock", skb.sk) if skb.sk else None
            found.append(Buffer(skb.len, skb.data_len, skb.truesize, packet.data[headers:], sk))
        return tuple(found)


def _constant(prog: drgn.Program, name: str) -> int | None:
    try:
        return int(prog.constant(name))
    except LookupError:
        return None
