"""``struct tcp_sock`` and ``struct request_sock`` (``include/linux/tcp.h``, ``include/net/request_sock.h``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ktrace.model.elapsed import Instant
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.sock import Sock
from ktrace.model.net.inet.ports import TimeWait
from ktrace.model.net.inet.sock import DEFAULT_HOPS, Inet
from ktrace.model.net.inet.tcp.byte_queue import ByteQueue
from ktrace.model.net.inet.tcp.handshake import Handshake
from ktrace.model.net.inet.tcp.space import sk_stream_write_space
from ktrace.model.timer import Timer
from ktrace.state.allowed import Between, EndOf, OneOf, allowed
from ktrace.state.net.inet import TcpSock
from ktrace.state.net.skbuff import Buffer
from ktrace.state.rule import Rule
from ktrace.uapi.tcp import TCP_MSS_DEFAULT

if TYPE_CHECKING:
    from ktrace.model.observed import Observed


DELAYED_ACK = Rule("net/ipv4/tcp_timer.c", "tcp_delack_timer", "when the receiver acknowledges")
DELAYED_FIN_ACK = Rule("net/ipv4/tcp_input.c", "tcp_fin", "the peer acknowledges a FIN at once or after its timer")
FIN_COALESCED = Rule("net/ipv4/tcp_input.c", "tcp_try_coalesce", "a FIN that was merged is read with the last byte")
WRITE_SEQ = Rule("net/ipv4/tcp.c", "tcp_disconnect", "write_seq jumps past the largest window")
RCVBUF = Rule("net/ipv4/tcp_input.c", "tcp_rcv_space_adjust", "the buffer grows with what is read")
SNDBUF = Rule("net/ipv4/tcp_input.c", "tcp_sndbuf_expand", "the buffer grows with the congestion window")

SURE = 16384
"""Bytes that every window takes: an eighth of the smallest ``tcp_rmem`` that grows by itself."""


@dataclass(eq=False)
class RequestSock:
    """Mirror a ``request_sock`` that TCP_DEFER_ACCEPT keeps until the client sends (``tcp_check_req()``).

    :param complete: makes the child, and tells the listener; returns it
    :param timer: until its SYN-ACK is sent again for the last time, whose answer counts
    """

    listener: Tcp
    complete: Callable[[Kernel], Tcp | None]
    timer: Timer | None

    state = "TCP_NEW_SYN_RECV"


@dataclass(eq=False)
class Tcp(Inet):
    """Mirror one ``struct tcp_sock``.

    :param quickack: its route has it acknowledge at once
    :param peer: the other end, while segments reach it
    :param requests: connections to it that are not accepted before something is sent
    :param rx: bytes received and not read
    :param fin: ``None``, ``queued`` in the receive queue, or ``read``
    :param out: bytes written and not sent
    :param sent: the last bytes that were sent, which may not all be acknowledged
    :param fin_out: ``None``, ``queued`` behind *out*, or ``sent``
    :param fin_in_doubt: nobody knows whether it is acknowledged, as it was not sure to be at once
    :param lost: bytes sent that the receiver had no room for; *fin_lost*: and the FIN behind them
    :param urg_seq: position of the urgent byte in the stream of bytes received
    :param snd_up: how many of the waiting bytes the urgent pointer covers
    :param rcv_total: bytes of the stream received
    :param more: the last call said that more will come (MSG_MORE)
    :param closing: nobody has it open any more
    :param clamped: its receive buffer was once set, and is not any more, or TCP_WINDOW_CLAMP was: the window may be
        small until ``tcp_rcv_space_adjust()`` makes it larger
    :param narrow: the peer went while its window may have been small
    :param peer_hops: the hop limit of the peer's packets; *heard*: that it is connected, and *bytes_received*, when
        what of a packet is kept was looked at last
    :param handshake: what was agreed on when it was connected, until it is disconnected
    :param advmss: the largest segment that it asks for, 0 before it was to be connected, with *rcv_mss*, a guess at the
        peer's; *mss_cache*: the largest that it sends, ``None`` since its peer decides
    :param gaps: bytes that were not sent, and that were not acknowledged at most, when its connection ended by itself
    :param snd_wscale: by what its peer scales windows, where that is known
    :param told_of: the step, and bytes that kernel and model had taken, when writers were last told of room for more
    :param deferred: TCP_DEFER_ACCEPT put its connection off, so that SYN-ACKs came again
    :param asked: when connect() sent its SYN last; *over_ipv6*: to an address of IPv6
    :param reads: how often bytes were taken from it
    :param fastopen_req: connect() asked for a cookie of TCP Fast Open
    :param write_gap: ``write_seq - snd_una`` of a closed sock that never had a connection; *unsent_gap* likewise
        ``write_seq - snd_nxt``
    """

    quickack: bool = False
    peer: Tcp | TimeWait | RequestSock | None = None
    requests: list[RequestSock] = field(default_factory=list)
    accept_queue: list[Tcp] = field(default_factory=list)
    rx: ByteQueue = field(default_factory=ByteQueue)
    fin: str | None = None
    out: ByteQueue = field(default_factory=ByteQueue)
    sent: bytearray = field(default_factory=bytearray)
    fin_out: str | None = None
    fin_in_doubt: bool = False
    lost: ByteQueue = field(default_factory=ByteQueue)
    fin_lost: bool = False
    bytes_sent: int = 0
    bytes_received: int = 0
    nonagle: int = 0
    linger2: int = 0
    defer_accept: int = 0
    keepalive_time: int = 0
    keepalive_intvl: int = 0
    keepalive_probes: int = 0
    syn_retries: int = 0
    user_timeout: int = 0
    notsent_lowat: int = 0
    urg_data: int = 0
    urg_seq: int = 0
    snd_up: int | None = None
    more: bool = False
    peer_hops: int = DEFAULT_HOPS
    heard: tuple[bool, int] | None = None
    rcv_total: int = 0
    was_connected: bool = False
    af_ops: str = "ipv4_specific"
    ca_ops: str = ""
    ca_setsockopt: bool = False
    closing: bool = False
    clamped: bool = False
    narrow: bool = False
    write_gap: int = 0
    unsent_gap: int = 0
    fastopen_req: bool = False
    handshake: Handshake | None = None
    advmss: int = 0
    rcv_mss: int = 0
    mss_cache: int | None = TCP_MSS_DEFAULT
    reads: int = 0
    asked: Instant | None = None
    gaps: tuple[int, int] | None = None
    snd_wscale: int | None = None
    deferred: bool = False
    told_of: tuple[int, int, int] | None = None
    over_ipv6: bool = False

    accounted = False

    def call_write_space(self, kernel: Kernel) -> None:
        """Call ``sk_write_space``, which is ``sk_stream_write_space()``."""
        sk_stream_write_space(kernel, self)

    def outq(self, sent: bool) -> int | Between:
        """Return ``write_seq - snd_una``, or, without what was *sent*, ``write_seq - snd_nxt``.

        A closed sock keeps what was there; each ``tcp_disconnect()`` adds the largest window that the peer
        ever offered, and 2.
        """
        if self.state == "TCP_CLOSE":
            if self.handshake is not None and self.gaps is not None:
                return Between(DELAYED_ACK, self.gaps[0], self.gaps[1] if sent else self.gaps[0] + 1)
            if self.was_connected:
                return Between(WRITE_SEQ, 0, 1 << 30)
            return self.write_gap if sent else self.unsent_gap
        if self.state in ("TCP_SYN_SENT", "TCP_SYN_RECV"):
            return 0
        waiting = len(self.out) + (self.fin_out == "queued")
        if not sent or self.acked_at_once():
            return waiting
        return Between(DELAYED_ACK, waiting, self.bytes_sent + waiting + 1)

    def keep_gaps(self) -> None:
        """Note how much was not sent, and how much not acknowledged at most, before that is forgotten.

        ``tcp_write_queue_purge()`` leaves *write_seq*, *snd_nxt* and *snd_una* as they were; a FIN may have gone along.
        """
        if self.handshake is not None and self.gaps is None:
            waiting = len(self.out)
            self.gaps = waiting, waiting + len(self.lost) + self.bytes_sent + 1

    def acked_at_once(self) -> bool:
        """Tell whether all that was sent is acknowledged: the receiver does so at once and has room."""
        missing = self.lost or self.fin_lost
        return self.quickack and isinstance(self.peer, Tcp) and self.peer.has_room() and not missing

    def _rtx_queue(self) -> bytes | EndOf:
        """Return what was sent and is not acknowledged."""
        if self.acked_at_once():
            return b""
        return EndOf(DELAYED_ACK, bytes(self.sent), self.bytes_sent - len(self.sent))

    def has_room(self) -> bool:
        """Tell whether the receive buffer surely has room: few bytes wait in one of the usual size."""
        return len(self.rx) <= SURE and "SOCK_RCVBUF_LOCK" not in self.userlocks and not self.clamped

    def most_packets(self, size: int) -> int:
        """Return in how many packets *size* bytes in a row may lie, at most.

        A packet ends where it has half of the largest window that the peer has offered (``tcp_bound_to_half_wnd()``),
        which is half of its receive buffer (``tcp_win_from_space()``), and where a window ends
        (``tcp_mss_split_point()``).
        """
        window = (self.peer.rcvbuf if isinstance(self.peer, Tcp) else self.rcvbuf) >> 1
        return 1 + -(-size // (window >> 1)) + -(-size // window)

    def copied_seq(self) -> int:
        """Return the position of the next byte to read."""
        return self.rcv_total - len(self.rx)

    def neighbours(self) -> Iterable[Sock]:
        """Return the children that nobody accepted yet."""
        return tuple(self.accept_queue)

    def view_receive_queue(self) -> tuple[Buffer, ...]:
        """Return what is not read, as one buffer."""
        return _one_buffer(bytes(self.rx))

    def view_write_queue(self) -> tuple[Buffer, ...]:
        """Return what is not sent, as one buffer."""
        return _one_buffer(bytes(self.out))

    def view_parts(self) -> dict[str, Any]:
        """Return the parts behind the ``struct sock``."""
        counted = self.state not in ("TCP_CLOSE", "TCP_LISTEN")
        sent = self.bytes_sent + (self.fin_out == "sent")
        if self.state == "TCP_SYN_SENT":
            sent = 1
        unread: int | OneOf = len(self.rx) + (self.fin == "queued")
        if not self.rx and self.fin == "queued" and self.bytes_received > 1:
            unread = OneOf(FIN_COALESCED, (0, 1))
        unacked: int | Between = Between(DELAYED_ACK, 0, sent)
        if self.state == "TCP_SYN_SENT":
            unacked = 1
        elif self.acked_at_once():
            unacked = 0
        tcp = TcpSock(
            unacked=allowed(unacked) if counted else None,
            unsent=len(self.out) + (self.fin_out == "queued") if counted else None,
            unread=allowed(unread),
            tcp_rtx_queue=self._rtx_queue() if counted else b"",
            bytes_sent=self.bytes_sent,
            bytes_received=self.bytes_received,
            accept_queue=tuple(child.ref for child in self.accept_queue),
            syn_queue=len(self.requests),
            nonagle=self.nonagle,
            linger2=self.linger2,
            defer_accept=self.defer_accept,
            keepalive_time=self.keepalive_time,
            keepalive_intvl=self.keepalive_intvl,
            keepalive_probes=self.keepalive_probes,
            icsk_syn_retries=self.syn_retries,
            icsk_ca_ops=self.ca_ops,
            icsk_user_timeout=self.user_timeout,
            notsent_lowat=self.notsent_lowat,
            urg_data=self.urg_data,
            icsk_af_ops=self.af_ops,
        )
        return {**Inet.view_parts(self), "tcp": tcp}

    def settled_parts(self, kernel: Kernel, parts: dict[str, Any]) -> dict[str, Any]:
        """Have as much unacknowledged as the queue of what was sent holds, and the FIN behind it."""
        tcp: TcpSock = parts["tcp"]
        if not isinstance(tcp.unacked, Between):
            return parts
        seen = kernel.choose(DELAYED_ACK, lambda seen: seen.connection(self), lambda _: True, None)
        if seen is None or seen.tcp is None:
            return parts
        # FIN_WAIT2 and TIME_WAIT begin when the FIN is acknowledged (tcp_rcv_state_process()).
        fin = self.fin_out == "sent" and seen.sk_state in ("TCP_FIN_WAIT1", "TCP_CLOSING", "TCP_LAST_ACK")
        exact = len(seen.tcp.tcp_rtx_queue) + fin
        return {**parts, "tcp": replace(tcp, unacked=allowed(exact))}

    def view_state(self) -> str | OneOf:
        """Return ``sk_state``: FIN_WAIT1 ends when the peer acknowledges."""
        if self.state == "TCP_FIN_WAIT1" and self.fin_out == "sent" and not self.acked_at_once():
            self.fin_in_doubt = True  # for good: room that comes later does not say when it was acknowledged
        if self.state == "TCP_FIN_WAIT1" and self.fin_in_doubt:
            return OneOf(DELAYED_FIN_ACK, ("TCP_FIN_WAIT1", "TCP_FIN_WAIT2"))
        return self.state

    def dst_reset(self) -> None:
        """Forget the route, which has the peer's segments acknowledged at once."""
        self.dst_cached = False
        if isinstance(self.peer, Tcp):
            self.peer.quickack = False

    def settle_buffers(self, kernel: Kernel) -> None:
        """Take over the sizes to which the buffers of a connection grew; SO_BUF_LOCK keeps them there."""
        if "SOCK_RCVBUF_LOCK" in self.userlocks:
            self.clamped = True
        if not self.was_connected:
            return

        def size(seen: Observed, member: str) -> int | None:
            return getattr(seen.connection(self), member, None)

        setting = kernel.net.setting
        if "SOCK_RCVBUF_LOCK" not in self.userlocks:
            grown = self._grown_rcvbuf(setting("ipv4/tcp_rmem/2"))
            self.rcvbuf = kernel.choose(RCVBUF, lambda seen: size(seen, "sk_rcvbuf"), grown.admits, self.rcvbuf)
        if "SOCK_SNDBUF_LOCK" not in self.userlocks:
            grown = self._grown_sndbuf(setting("ipv4/tcp_wmem/2"))
            self.sndbuf = kernel.choose(SNDBUF, lambda seen: size(seen, "sk_sndbuf"), grown.admits, self.sndbuf)

    def view_buffers(self, rmem_max: int, wmem_max: int) -> tuple[int | Between, int | Between]:
        """Return ``sk_rcvbuf`` and ``sk_sndbuf``: both grow by themselves on a connection."""
        rcvbuf: int | Between = self.rcvbuf
        sndbuf: int | Between = self.sndbuf
        if self.was_connected and "SOCK_RCVBUF_LOCK" not in self.userlocks:
            rcvbuf = self._grown_rcvbuf(rmem_max)
        if self.was_connected and "SOCK_SNDBUF_LOCK" not in self.userlocks:
            sndbuf = self._grown_sndbuf(wmem_max)
        return rcvbuf, sndbuf

    def _grown_rcvbuf(self, most: int) -> Between:
        """Return what ``tcp_rcv_space_adjust()`` makes of the receive buffer: SO_RCVBUF may have made it larger."""
        return Between(RCVBUF, self.rcvbuf, max(self.rcvbuf, most))

    def _grown_sndbuf(self, most: int) -> Between:
        """Return what ``tcp_sndbuf_expand()`` makes of the send buffer: one that is larger than *most* may shrink."""
        return Between(SNDBUF, min(self.sndbuf, most), max(self.sndbuf, most))


def _one_buffer(data: bytes) -> tuple[Buffer, ...]:
    return (Buffer(len=len(data), data_len=None, truesize=None, data=data, sk=None, tstamp=None),) if data else ()


def tcp_sk(sk: Sock | None) -> Tcp:
    """Return *sk*, which is one of TCP (``tcp_sk()``)."""
    assert isinstance(sk, Tcp)
    return sk
