"""Check TCP and UDP over IPv4: accounts against queues, sequence numbers against each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ktrace.include.net.tcp_states import TCP_CLOSE, TCP_LISTEN, TCP_NEW_SYN_RECV, TCP_SYN_SENT
from ktrace.inspect.invariants.net.core.skbuff import Buffers, Queued
from ktrace.inspect.invariants.net.inet.sock6 import Inet6Checks
from ktrace.inspect.invariants.violation import Violation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.lib.list import for_each_next
from ktrace.inspect.members import offset_of
from ktrace.uapi.in_ import IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE
from ktrace.uapi.limits import UINT_MAX
from ktrace.uapi.socket import AF_INET6, SOCK_DGRAM, SOCK_STREAM

MAX_WINDOW = 1 << 30
MAX_QUEUED = 1 << 16
TCP_MAX_STATE = 12
FIN = 1


class InetChecks:
    """Check sockets of IPv4."""

    def __init__(self, kernel: LiveKernel, buffers: Buffers) -> None:
        prog = kernel.prog
        self.kernel = kernel
        self.buffers = buffers
        self.inet = layout_of(prog, "struct inet_sock", "inet_sport", num="sk.__sk_common.skc_num")
        self.tcp = layout_of(
            prog, "struct tcp_sock", "rcv_nxt", "copied_seq", "snd_nxt", "snd_una", "write_seq",
            ofo="out_of_order_queue.rb_node",
            accept_head="inet_conn.icsk_accept_queue.rskq_accept_head",
            accept_tail="inet_conn.icsk_accept_queue.rskq_accept_tail",
            qlen="inet_conn.icsk_accept_queue.qlen.counter", num="inet_conn.icsk_inet.sk.__sk_common.skc_num",
            state="inet_conn.icsk_inet.sk.__sk_common.skc_state", sk_socket="inet_conn.icsk_inet.sk.sk_socket",
        )  # fmt: skip
        self.request = layout_of(prog, "struct request_sock", "sk")
        self.dl_next = offset_of(prog, "struct request_sock", "dl_next")
        self.cb = layout_of(prog, "struct tcp_skb_cb", "seq", "end_seq", "tcp_flags")
        self.udp = layout_of(prog, "struct udp_sock", "forward_deficit")
        self.ipv6 = Inet6Checks(kernel)

    def check(self, where: str, address: int, sock: Any, packets: list[Queued], errors: int) -> Iterator[Violation]:
        """Check one sock, whose receive queue holds *packets*.

        :param errors: bytes that its error queue charges to ``sk_rmem_alloc``
        """
        found = self.inet.read(self.kernel.memory, address)
        port = (found.inet_sport & 0xFF) << 8 | found.inet_sport >> 8
        # Raw sockets have their protocol there, and a closed one has no port left in inet_sport.
        if sock.sk_type in (SOCK_STREAM, SOCK_DGRAM) and port and found.num and port != found.num:
            yield Violation(f"{where}.inet_sport", f"is {port}, but skc_num is {found.num}")
        if not 0 < sock.state <= TCP_MAX_STATE:
            yield Violation(f"{where}.sk_state", f"is {sock.state}")
        charged = errors + sum(packet.skb.truesize for packet in packets)
        if sock.family == AF_INET6:
            yield from self.ipv6.check(where, address, sock)
            if sock.sk_type == SOCK_STREAM:
                charged += self.buffers.truesize(self.ipv6.pktoptions(address))
        if sock.sk_type == SOCK_STREAM and sock.sk_protocol == IPPROTO_TCP:
            yield from self._check_tcp(where, address, sock, packets, charged)
        elif sock.sk_type == SOCK_DGRAM and sock.sk_protocol in (IPPROTO_UDP, IPPROTO_UDPLITE):
            waiting, violations = self.buffers.queue(where, "reader_queue", address, "struct udp_sock")
            yield from violations
            deficit = self.udp.read(self.kernel.memory, address).forward_deficit
            charged += sum(packet.skb.truesize for packet in waiting) + deficit
            if sock.rmem_alloc != charged:
                yield Violation(f"{where}.sk_rmem_alloc", f"is {sock.rmem_alloc}, but the queues make it {charged}")
        elif sock.rmem_alloc != charged:
            yield Violation(f"{where}.sk_rmem_alloc", f"is {sock.rmem_alloc}, but the queue makes it {charged}")

    def _check_tcp(
        self, where: str, address: int, sock: Any, packets: list[Queued], charged: int
    ) -> Iterator[Violation]:
        found = self.tcp.read(self.kernel.memory, address)
        if sock.state == TCP_LISTEN:
            yield from self._check_listener(where, address, sock, found)
            return
        if not found.ofo and sock.rmem_alloc != charged:
            yield Violation(f"{where}.sk_rmem_alloc", f"is {sock.rmem_alloc}, but the queue makes it {charged}")
        if sock.state in (TCP_CLOSE, TCP_SYN_SENT, TCP_NEW_SYN_RECV):
            return
        for late, early in (("snd_nxt", "snd_una"), ("write_seq", "snd_nxt"), ("rcv_nxt", "copied_seq")):
            if getattr(found, late) - getattr(found, early) & UINT_MAX >= MAX_WINDOW:
                yield Violation(
                    f"{where}.{late}", f"is {getattr(found, late)}, before {early}, {getattr(found, early)}"
                )
        yield from self._check_sequence(where, found, packets)

    def _check_sequence(self, where: str, found: Any, packets: list[Queued]) -> Iterator[Violation]:
        """Check that the receive queue is one piece of the stream that ends at ``rcv_nxt``.

        What was sent again may overlap what is there already: ``tcp_data_queue()`` takes it whole, and recvmsg()
        skips what it has read.
        """
        expected = None
        for index, packet in enumerate(packets):
            place = f"{where}.sk_receive_queue[{index}]"
            cb = self.cb.unpack(packet.skb.cb, 0)
            if expected is not None and _after(cb.seq, expected):
                yield Violation(f"{place}.seq", f"is {cb.seq}, but the one before ends at {expected}")
            if expected is not None and not _after(cb.end_seq, expected):
                yield Violation(f"{place}.end_seq", f"is {cb.end_seq}, but the one before ends at {expected}")
            length = packet.skb.len + (cb.tcp_flags & FIN)
            if cb.end_seq - cb.seq & UINT_MAX != length:
                yield Violation(
                    f"{place}.end_seq", f"is {cb.end_seq - cb.seq & UINT_MAX} past seq, with {length} bytes"
                )
            expected = cb.end_seq
        if expected is not None and expected != found.rcv_nxt:
            yield Violation(f"{where}.rcv_nxt", f"is {found.rcv_nxt}, but the queue ends at {expected}")

    def _check_listener(self, where: str, address: int, sock: Any, found: Any) -> Iterator[Violation]:
        count, last = 0, 0
        what = "request_sock_queue.rskq_accept_head"
        for node in for_each_next(self.kernel.memory, found.accept_head, what, MAX_QUEUED, self.dl_next):
            request = self.request.read(self.kernel.memory, node)
            child = self.tcp.read(self.kernel.memory, request.sk)
            place = f"{where}.accept_queue[{count}]"
            if child.sk_socket:
                yield Violation(place, f"{request.sk:#x} has a socket, and is not accepted yet")
            if child.state == TCP_LISTEN:
                yield Violation(place, f"{request.sk:#x} listens itself")
            elif child.num != found.num and child.state != TCP_CLOSE:
                yield Violation(place, f"{request.sk:#x} has port {child.num}, not {found.num}")
            count, last = count + 1, node
        if count and found.accept_tail != last:
            yield Violation(f"{where}.rskq_accept_tail", f"is {found.accept_tail:#x}, but the queue ends at {last:#x}")
        if sock.sk_ack_backlog != count:
            yield Violation(f"{where}.sk_ack_backlog", f"is {sock.sk_ack_backlog}, with {count} to accept")
        if found.qlen < 0:
            yield Violation(f"{where}.qlen", f"is {found.qlen}")


def _after(one: int, other: int) -> bool:
    """Tell whether a sequence number is beyond another one (``after()``)."""
    return 0 < one - other & UINT_MAX < 1 << 31
