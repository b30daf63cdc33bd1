"""Read ``struct tcp_sock`` and the bytes in TCP's queues (``include/linux/tcp.h``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ktrace.include.net.tcp_states import TCP_CLOSE, TCP_LISTEN
from ktrace.inspect.inspector import Observation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.lib.list import for_each_next
from ktrace.inspect.members import offset_of
from ktrace.inspect.memory import Place
from ktrace.inspect.net.core.skbuff import MAX_QUEUED, BufferReader, Packet
from ktrace.state.net.inet import TcpSock
from ktrace.state.net.skbuff import Buffer
from ktrace.state.ref import Ref
from ktrace.uapi.limits import UINT_MAX


class TcpReader:
    """Read what only a TCP sock has."""

    def __init__(self, kernel: LiveKernel, buffers: BufferReader) -> None:
        prog = kernel.prog
        self.symbol = kernel.symbol
        self.buffers = buffers
        self.tcp = layout_of(
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
        self.nonagle = layout_of(prog, "struct tcp_sock", "nonagle")
        self.request = layout_of(prog, "struct request_sock", "sk")
        self.tcp_cb = layout_of(prog, "struct tcp_skb_cb", "seq")
        self._dl_next = offset_of(prog, "struct request_sock", "dl_next")

    def read(
        self, observation: Observation, address: int, state: int, received: Sequence[Packet]
    ) -> tuple[TcpSock, tuple[Buffer, ...], tuple[int, ...], Sequence[Place] | None]:
        """Return TCP's part of the sock at *address*, its receive queue, its children, and what else it depends on.

        :param state: its ``skc_state``
        :param received: what is on its receive queue
        """
        raw = observation.memory.read(address, self.tcp.size)
        found = self.tcp.unpack(raw, 0)
        children = tuple(self._accept_queue(observation, found.accept_head)) if found.accept_head else ()
        counted = int(state) not in (TCP_CLOSE, TCP_LISTEN)
        part = TcpSock(
            unacked=found.snd_nxt - found.snd_una & UINT_MAX if counted else None,
            unsent=found.write_seq - found.snd_nxt & UINT_MAX if counted else None,
            unread=found.rcv_nxt - found.copied_seq & UINT_MAX,
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
            icsk_af_ops=self.symbol(found.af_ops),
        )
        # Queued packets and requests may change in the middle.
        places = None if found.rtx or found.accept_head else ()
        return part, _one_buffer(self._bytes_from(received, found.copied_seq)), children, places

    def unsent(self, packets: Sequence[Packet]) -> tuple[Buffer, ...]:
        """Return the bytes of a write queue as one buffer: packets are cut as they are sent."""
        return _one_buffer(b"".join([packet.data for packet in packets]))

    def _accept_queue(self, observation: Observation, first: int) -> list[int]:
        """Return the children that wait to be accepted, the oldest first."""
        read, what = self.request.read, "request_sock_queue.rskq_accept_head"
        return [
            read(observation.memory, request).sk
            for request in for_each_next(observation.memory, first, what, MAX_QUEUED, self._dl_next)
        ]

    def _unacked(self, observation: Observation, root: int, una: int) -> bytes:
        """Return the bytes of ``tcp_rtx_queue`` from *una* on, the first that is not acknowledged."""
        return self._bytes_from(self.buffers.for_each_in_tree(observation.memory, root), una)

    def _bytes_from(self, packets: Iterable[Packet], first: int) -> bytes:
        """Return the bytes of *packets* from sequence number *first* on.

        Where one ``sk_buff`` ends and the next begins depends on whether the sender's copy had been
        acknowledged when the next arrived (``tcp_try_coalesce()``: not into a cloned buffer), so on
        timers; the bytes do not.
        """
        data = bytearray()
        for packet in packets:
            skip = first - self.tcp_cb.unpack(packet.skb.cb, 0).seq & UINT_MAX
            data += packet.data[skip:] if skip < 1 << 31 else packet.data
        return bytes(data)


def _one_buffer(data: bytes) -> tuple[Buffer, ...]:
    return (Buffer(len=len(data), data_len=None, truesize=None, data=data, sk=None, tstamp=None),) if data else ()
