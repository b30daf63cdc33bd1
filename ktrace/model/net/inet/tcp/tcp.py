"""TCP over the loopback: states, segments, resets (``net/ipv4/tcp.c``, ``tcp_input.c``, ``tcp_minisocks.c``).

A segment sent on the loopback is received before the sender goes on: ``ip_local_out()`` puts it into the
backlog of the CPU and ``local_bh_enable()`` runs the softirq. Only acknowledgements may be put off, to
timers (``tcp_delack_timer()``), unless the route asks for quick ones (``tcp_in_quickack_mode()``), as it does
in a lab image; what timers decide is a named set of allowed values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ktrace.include.linux.limits import U16_MAX
from ktrace.include.linux.net import SOCK_WAKE_WAITD
from ktrace.include.net.sock import RCV_SHUTDOWN, SEND_SHUTDOWN, SHUTDOWN_MASK
from ktrace.include.net.tcp import TCP_NAGLE_CORK, TCP_NAGLE_OFF, TCP_NAGLE_PUSH, TCP_URG_NOTYET, TCP_URG_VALID
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.reuseport import detach
from ktrace.model.net.core.sock import (
    Sock,
    Timeo,
    data_ready,
    error_report,
    send_sigurg,
    sock_orphan,
    sock_wake_async,
    state_change,
)
from ktrace.model.net.inet.addr6 import is_ipv6
from ktrace.model.net.inet.ip_input import refuse_watchers
from ktrace.model.net.inet.ports import TimeWait
from ktrace.model.net.inet.sock import Inet
from ktrace.model.net.inet.tcp.byte_queue import ByteQueue
from ktrace.model.net.inet.tcp.space import sk_stream_write_space
from ktrace.model.task import Task
from ktrace.model.timer import Timer
from ktrace.model.wait import Sleeps, WaitEntry
from ktrace.state.allowed import Between, EndOf, OneOf, allowed
from ktrace.state.net.inet import TcpSock
from ktrace.state.net.skbuff import Buffer
from ktrace.state.rule import Rule
from ktrace.uapi.errno import ECONNREFUSED, ECONNRESET, EPIPE
from ktrace.uapi.siginfo import POLL_HUP, POLL_IN

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

DELAYED_ACK = Rule("net/ipv4/tcp_timer.c", "tcp_delack_timer", "when the receiver acknowledges")
DELAYED_FIN_ACK = Rule("net/ipv4/tcp_input.c", "tcp_fin", "the peer acknowledges a FIN at once or after its timer")
FIN_COALESCED = Rule("net/ipv4/tcp_input.c", "tcp_try_coalesce", "a FIN that was merged is read with the last byte")
WRITE_SEQ = Rule("net/ipv4/tcp.c", "tcp_disconnect", "write_seq jumps past the largest window")
RCVBUF = Rule("net/ipv4/tcp_input.c", "tcp_rcv_space_adjust", "the buffer grows with what is read")
SNDBUF = Rule("net/ipv4/tcp_input.c", "tcp_sndbuf_expand", "the buffer grows with the congestion window")
RMEM = Rule("net/ipv4/tcp_input.c", "tcp_try_rmem_schedule", "a segment that finds no room is dropped")
RETRANSMIT = Rule("net/ipv4/tcp_timer.c", "tcp_retransmit_timer", "when it sends again and hears that nobody is there")
WRITE_XMIT = Rule("net/ipv4/tcp_output.c", "tcp_write_xmit", "the windows and Nagle's test hold segments back")
SENT_KEPT = 4096
"""Bytes of what was sent that are remembered."""

SURE = 16384
"""Bytes that every window takes: an eighth of the smallest ``tcp_rmem`` that grows by itself."""

CLOSING = ("TCP_FIN_WAIT1", "TCP_CLOSING", "TCP_LAST_ACK")
"""``sk_stream_closing()``."""

SYNCHRONISED = ("TCP_ESTABLISHED", "TCP_CLOSE_WAIT", "TCP_FIN_WAIT1", "TCP_FIN_WAIT2", "TCP_SYN_RECV")


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
    :param lost: bytes sent that the receiver had no room for; *fin_lost*: and the FIN behind them
    :param urg_seq: position of the urgent byte in the stream of bytes received
    :param snd_up: how many of the waiting bytes the urgent pointer covers
    :param rcv_total: bytes of the stream received
    :param more: the last call said that more will come (MSG_MORE)
    :param closing: nobody has it open any more
    :param zckey: ``sk_zckey``: sends with MSG_ZEROCOPY
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
    rcv_total: int = 0
    was_connected: bool = False
    af_ops: str = "ipv4_specific"
    ca_ops: str = ""
    ca_setsockopt: bool = False
    closing: bool = False
    write_gap: int = 0
    unsent_gap: int = 0
    fastopen_req: bool = False
    zckey: int = 0

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
            if self.was_connected:
                return Between(WRITE_SEQ, 0, 1 << 30)
            return self.write_gap if sent else self.unsent_gap
        if self.state in ("TCP_SYN_SENT", "TCP_SYN_RECV"):
            return 0
        waiting = len(self.out) + (self.fin_out == "queued")
        if not sent or self.acked_at_once():
            return waiting
        return Between(DELAYED_ACK, waiting, self.bytes_sent + waiting + 1)

    def acked_at_once(self) -> bool:
        """Tell whether all that was sent is acknowledged: the receiver does so at once and has room."""
        return self.quickack and isinstance(self.peer, Tcp) and self.peer.has_room() and not self.lost

    def _rtx_queue(self) -> bytes | EndOf:
        """Return what was sent and is not acknowledged."""
        if self.acked_at_once():
            return b""
        return EndOf(DELAYED_ACK, bytes(self.sent), self.bytes_sent - len(self.sent))

    def has_room(self) -> bool:
        """Tell whether the receive buffer surely has room: few bytes wait in one of the usual size."""
        return len(self.rx) <= SURE and "SOCK_RCVBUF_LOCK" not in self.userlocks

    def copied_seq(self) -> int:
        """Return the position of the next byte to read."""
        return self.rcv_total - len(self.rx)

    def neighbours(self) -> Iterable[Sock]:
        """Return the children that nobody accepted yet."""
        return tuple(self.accept_queue)

    def view_receive_queue(self) -> tuple[Buffer, ...]:
        """Return what is not read, as one buffer."""
        return (
            (Buffer(len=len(self.rx), data_len=None, truesize=None, data=bytes(self.rx), sk=None),) if self.rx else ()
        )

    def view_write_queue(self) -> tuple[Buffer, ...]:
        """Return what is not sent, as one buffer."""
        return (
            (Buffer(len=len(self.out), data_len=None, truesize=None, data=bytes(self.out), sk=None),)
            if self.out
            else ()
        )

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

    def view_state(self) -> str | OneOf:
        """Return ``sk_state``: FIN_WAIT1 ends when the peer acknowledges."""
        if self.state == "TCP_FIN_WAIT1" and self.fin_out == "sent" and not self.acked_at_once():
            return OneOf(DELAYED_FIN_ACK, ("TCP_FIN_WAIT1", "TCP_FIN_WAIT2"))
        return self.state

    def dst_reset(self) -> None:
        """Forget the route, which has the peer's segments acknowledged at once."""
        self.dst_cached = False
        if isinstance(self.peer, Tcp):
            self.peer.quickack = False

    def settle_buffers(self, kernel: Kernel) -> None:
        """Take over the sizes to which the buffers of a connection grew; SO_BUF_LOCK keeps them there."""
        if not self.was_connected:
            return

        def size(seen: Observed, member: str) -> int | None:
            return getattr(seen.connection(self), member, None)

        setting = kernel.net.setting
        if "SOCK_RCVBUF_LOCK" not in self.userlocks:
            grown = Between(RCVBUF, self.rcvbuf, setting("ipv4/tcp_rmem/2"))
            self.rcvbuf = kernel.choose(RCVBUF, lambda seen: size(seen, "sk_rcvbuf"), grown.admits, self.rcvbuf)
        if "SOCK_SNDBUF_LOCK" not in self.userlocks:
            grown = Between(SNDBUF, self.sndbuf, setting("ipv4/tcp_wmem/2"))
            self.sndbuf = kernel.choose(SNDBUF, lambda seen: size(seen, "sk_sndbuf"), grown.admits, self.sndbuf)

    def view_buffers(self, rmem_max: int, wmem_max: int) -> tuple[int | Between, int | Between]:
        """Return ``sk_rcvbuf`` and ``sk_sndbuf``: both grow by themselves on a connection."""
        rcvbuf: int | Between = self.rcvbuf
        sndbuf: int | Between = self.sndbuf
        if self.was_connected and "SOCK_RCVBUF_LOCK" not in self.userlocks:
            rcvbuf = Between(RCVBUF, self.rcvbuf, rmem_max)
        if self.was_connected and "SOCK_SNDBUF_LOCK" not in self.userlocks:
            sndbuf = Between(SNDBUF, self.sndbuf, wmem_max)
        return rcvbuf, sndbuf


def tcp_sk(sk: Sock | None) -> Tcp:
    """Return *sk*, which is one of TCP (``tcp_sk()``)."""
    assert isinstance(sk, Tcp)
    return sk


def tcp_set_state(kernel: Kernel, sk: Tcp, state: str) -> None:
    """Change the state; a closed sock gives its port back unless bind() asked for it (``tcp_set_state()``)."""
    if state == "TCP_CLOSE":
        detach(sk)
    if state == "TCP_CLOSE" and sk.bind_hash is not None and "SOCK_BINDPORT_LOCK" not in sk.userlocks:
        kernel.net.inet.bhash.put(sk)
    sk.state = state


def inet_csk_destroy_sock(kernel: Kernel, sk: Tcp) -> None:
    """Let go of a closed sock without a socket (``inet_csk_destroy_sock()``, ``tcp_v4_destroy_sock()``)."""
    sk.out.clear()
    sk.lost.clear()
    sk.fin_lost = False
    sk.rx.clear()
    if sk.bind_hash is not None:
        kernel.net.inet.bhash.put(sk)


def tcp_done(kernel: Kernel, sk: Tcp) -> None:
    """End the connection (``tcp_done()``)."""
    tcp_set_state(kernel, sk, "TCP_CLOSE")
    sk.shutdown = SHUTDOWN_MASK
    sk.peer = None
    if not sk.flag("SOCK_DEAD"):
        state_change(kernel, sk)
    else:
        inet_csk_destroy_sock(kernel, sk)


def tcp_reset(kernel: Kernel, sk: Tcp | TimeWait | RequestSock | None) -> None:
    """Receive a RST (``tcp_reset()``, ``tcp_done_with_error()``)."""
    if isinstance(sk, RequestSock):
        # tcp_check_req(): inet_csk_reqsk_queue_drop()
        sk.listener.requests.remove(sk)
        return
    if isinstance(sk, TimeWait):
        # tcp_timewait_state_process(): TIME_WAIT assassination
        kernel.net.inet.bhash.drop_time_wait(sk)
        return
    if sk is None or sk.state == "TCP_CLOSE":
        return
    sk.err = {"TCP_SYN_SENT": ECONNREFUSED, "TCP_CLOSE_WAIT": EPIPE}.get(sk.state, ECONNRESET)
    sk.out.clear()
    sk.lost.clear()
    sk.fin_lost = False
    tcp_done(kernel, sk)
    if not sk.flag("SOCK_DEAD"):
        error_report(kernel, sk)


def tcp_send_active_reset(kernel: Kernel, sk: Tcp) -> None:
    """Send a RST to the other end (``tcp_send_active_reset()``)."""
    refuse_watchers(kernel, is_ipv6(sk.endpoints()[1]))
    peer, sk.peer = sk.peer, None
    tcp_reset(kernel, peer)


def tcp_time_wait(kernel: Kernel, sk: Tcp, state: str) -> None:
    """Replace a finished connection by a TIME_WAIT entry that keeps its port (``tcp_time_wait()``)."""
    tw = TimeWait(
        num=sk.inet_num or sk.sport,
        rcv_saddr=sk.rcv_saddr,
        daddr=sk.daddr,
        dport=sk.dport,
        reuse=sk.reuse,
        reuseport=sk.reuseport,
        bound_dev_if=sk.bound_dev_if,
        substate=state,
        started=kernel.clock[1],
        peer=None if isinstance(sk.peer, RequestSock) else sk.peer,
        family=sk.family,
        v6_rcv_saddr=sk.v6_rcv_saddr,
        v6_daddr=sk.v6_daddr,
        ipv6only=sk.ipv6only,
    )
    kernel.net.inet.bhash.add_time_wait(tw)
    peer = sk.peer
    tcp_done(kernel, sk)
    if isinstance(peer, Tcp):
        peer.peer = tw


def tcp_v4_rcv(kernel: Kernel, sender: Tcp, data: ByteQueue, urgent: int | None = None) -> None:
    """Take a segment of *sender* at its other end (``tcp_v4_rcv()``, ``tcp_data_queue()``).

    :param urgent: how far behind its first byte its urgent pointer is, ``None`` where it has none
    """
    refuse_watchers(kernel, is_ipv6(sender.endpoints()[1]))
    sk = sender.peer.complete(kernel) if isinstance(sender.peer, RequestSock) else sender.peer
    if isinstance(sk, TimeWait):
        # New data after half-duplex close: TCP_TW_RST
        kernel.net.inet.bhash.drop_time_wait(sk)
        sender.peer = None
        tcp_reset(kernel, sender)
        return
    if sk is None or sk.state == "TCP_CLOSE":
        tcp_reset(kernel, sender)
        return
    tcp_urg(kernel, sender, sk, bytes(data), urgent)
    if sk.state in ("TCP_FIN_WAIT1", "TCP_FIN_WAIT2") and sk.shutdown & RCV_SHUTDOWN:
        # RFC 1122 says we MUST send a reset
        tcp_reset(kernel, sk)
        tcp_reset(kernel, sender)
        return
    if sender.lost or not sk.has_room():
        sender.lost += data
        data = tcp_try_rmem_schedule(kernel, sender, sk)
    tcp_data_queue(kernel, sender, sk, data)


def tcp_data_queue(kernel: Kernel, sender: Tcp, sk: Tcp, data: ByteQueue) -> None:
    """Queue bytes for readers, and send what their acknowledgement allows (``tcp_data_queue()``)."""
    if not len(data):
        return
    sk.rx += data
    sk.rcv_total += len(data)
    sk.bytes_received += len(data)
    if len(sk.rx) >= sk.rcvlowat or sk.flag("SOCK_DONE"):
        data_ready(kernel, sk)
    if sk.out and sk is not sender:
        # tcp_data_snd_check(), unless the segment was predicted (tcp_rcv_established()).
        tcp_push_pending_frames(kernel, sk, late=True)


def tcp_try_rmem_schedule(kernel: Kernel, sender: Tcp, sk: Tcp) -> ByteQueue:
    """Return the bytes under way that *sk* has room for; the rest is dropped and sent again (``tcp_data_queue()``).

    Whether a segment fits into ``sk_rcvbuf`` depends on how those before it were merged.
    """
    waiting = len(sender.lost)

    def find(seen: Observed) -> int | None:
        tcp = seen.tcp(sk)
        # What comes later in the same step counts as well.
        return None if tcp is None else min(tcp.bytes_received - sk.bytes_received, waiting)

    size = kernel.choose(RMEM, find, lambda taken: taken >= 0, waiting)
    if size < waiting:
        kernel.net.inet.held_back = True
    data = sender.lost[:size]
    del sender.lost[:size]
    return data


def tcp_retransmit_skb(kernel: Kernel, sender: Tcp) -> None:
    """Have the peer receive what *sender* sends again (``tcp_retransmit_skb()``, ``tcp_send_loss_probe()``)."""
    sk = sender.peer
    if not isinstance(sk, Tcp):
        # Nothing is left there: the answer is a reset, whenever a timer sends again.
        if sender.socket is not None and kernel.choose(
            RETRANSMIT,
            lambda seen: None if seen.blind else seen.connection(sender) is None,
            lambda gone: True,
            otherwise=False,
        ):
            tcp_reset(kernel, sender)
        return
    tcp_data_queue(kernel, sender, sk, tcp_try_rmem_schedule(kernel, sender, sk))
    if sender.fin_lost and not sender.lost:
        _deliver_fin(kernel, sender)


def tcp_urg(kernel: Kernel, sender: Tcp, sk: Tcp, data: bytes, urgent: int | None) -> None:
    """Look at the urgent pointer of a segment, and for the byte that one before it announced (``tcp_urg()``).

    :param urgent: how far behind the segment's first byte it points, ``None`` where it has none
    """
    start = sk.rcv_total + len(sender.lost)
    if urgent is not None:
        _check_urg(kernel, sk, start + urgent - 1)
    if sk.urg_data == TCP_URG_NOTYET and start <= sk.urg_seq < start + len(data):
        sk.urg_data = TCP_URG_VALID | data[sk.urg_seq - start]
        if not sk.flag("SOCK_DEAD"):
            data_ready(kernel, sk)


def _check_urg(kernel: Kernel, sk: Tcp, at: int) -> None:
    """Note where an urgent byte is, and tell the owner (``tcp_check_urg()``)."""
    if at < sk.rcv_total or (sk.urg_data and at <= sk.urg_seq):
        return
    send_sigurg(kernel, sk)
    if sk.urg_data and sk.urg_seq == sk.copied_seq() and not sk.flag("SOCK_URGINLINE") and sk.rx:
        # An old urgent byte that nobody read is lost.
        del sk.rx[:1]
    sk.urg_seq = at
    sk.urg_data = TCP_URG_NOTYET


def tcp_fin(kernel: Kernel, sender: Tcp) -> None:
    """Take the FIN of *sender* at its other end (``tcp_fin()``)."""
    refuse_watchers(kernel, is_ipv6(sender.endpoints()[1]))
    sk = sender.peer.complete(kernel) if isinstance(sender.peer, RequestSock) else sender.peer
    if isinstance(sk, TimeWait):
        sk.substate = "TCP_TIME_WAIT"
        tcp_rcv_state_process(kernel, sender)
        return
    if sk is None or sk.state == "TCP_CLOSE":
        tcp_reset(kernel, sender)
        return
    sk.shutdown |= RCV_SHUTDOWN
    sk.flags.add("SOCK_DONE")
    sk.fin = "queued"
    sk.bytes_received += 1
    finished = False
    if sk.state == "TCP_ESTABLISHED":
        tcp_set_state(kernel, sk, "TCP_CLOSE_WAIT")
    elif sk.state in ("TCP_FIN_WAIT1", "TCP_FIN_WAIT2"):
        # The segment acknowledges our FIN, if it was sent.
        if sk.fin_out == "sent" and sk is not sender:
            tcp_time_wait(kernel, sk, "TCP_TIME_WAIT")
            finished = True
        else:
            tcp_set_state(kernel, sk, "TCP_CLOSING")
    if not sk.flag("SOCK_DEAD"):
        state_change(kernel, sk)
        hup = sk.shutdown == SHUTDOWN_MASK or sk.state == "TCP_CLOSE"
        sock_wake_async(kernel, sk, SOCK_WAKE_WAITD, POLL_HUP if hup else POLL_IN)
        data_ready(kernel, sk)  # tcp_data_queue(): SOCK_DONE is as good as data
    if sk.out and sk is not sender:
        sk.more = False
        tcp_push_pending_frames(kernel, sk)  # tcp_data_snd_check()
    if finished or sk is sender:
        tcp_rcv_state_process(kernel, sender)


def tcp_rcv_state_process(kernel: Kernel, sk: Tcp) -> None:
    """Take the acknowledgement of the FIN of *sk* (``tcp_rcv_state_process()``)."""
    if sk.state == "TCP_FIN_WAIT1":
        tcp_set_state(kernel, sk, "TCP_FIN_WAIT2")
        sk.shutdown |= SEND_SHUTDOWN
        if not sk.flag("SOCK_DEAD"):
            state_change(kernel, sk)
    elif sk.state == "TCP_CLOSING":
        tcp_time_wait(kernel, sk, "TCP_TIME_WAIT")
    elif sk.state == "TCP_LAST_ACK":
        tcp_done(kernel, sk)


def tcp_close_state(kernel: Kernel, sk: Tcp) -> bool:
    """Go on to the state in which nothing more is sent; tell whether a FIN goes out (``tcp_close_state()``)."""
    next_state = {
        "TCP_ESTABLISHED": ("TCP_FIN_WAIT1", True),
        "TCP_SYN_SENT": ("TCP_CLOSE", False),
        "TCP_SYN_RECV": ("TCP_FIN_WAIT1", True),
        "TCP_CLOSE_WAIT": ("TCP_LAST_ACK", True),
        "TCP_LISTEN": ("TCP_CLOSE", False),
    }
    state, fin = next_state.get(sk.state, (sk.state, False))
    tcp_set_state(kernel, sk, state)
    return fin


def tcp_send_fin(kernel: Kernel, sk: Tcp) -> None:
    """Send a FIN, behind what waits to be sent (``tcp_send_fin()``)."""
    sk.fin_out = "queued"
    tcp_push_pending_frames(kernel, sk)


def tcp_push_pending_frames(kernel: Kernel, sk: Tcp, late: bool = False) -> None:
    """Send waiting bytes as far as Nagle's test and the windows allow (``__tcp_push_pending_frames()``).

    :param late: what happened need not have led to sending: a timer, or a segment that acknowledges nothing new
    """
    size = may_send(kernel, sk, late)
    if size:
        data = sk.out[:size]
        del sk.out[:size]
        sk.bytes_sent += len(data)
        sk.sent += bytes(data)
        del sk.sent[:-SENT_KEPT]
        urgent = sk.snd_up
        if urgent is not None:
            if urgent > U16_MAX:
                raise NotImplementedError("the model does not know urgent pointers beyond 65535 bytes")
            sk.snd_up = urgent - size if urgent > size else None
        tcp_v4_rcv(kernel, sk, data, urgent)
    if sk.fin_out == "queued" and not sk.out and sk.state != "TCP_CLOSE":
        sk.fin_out = "sent"
        sk.fin_lost = bool(sk.lost)
        if not sk.fin_lost:
            _deliver_fin(kernel, sk)


def _deliver_fin(kernel: Kernel, sk: Tcp) -> None:
    """Have the peer receive the FIN, and take its acknowledgement."""
    sk.fin_lost = False
    tcp_fin(kernel, sk)
    if (sk.acked_at_once() or (sk.closing and sk.quickack)) and sk.state == "TCP_FIN_WAIT1":
        tcp_rcv_state_process(kernel, sk)


def may_send(kernel: Kernel, sk: Tcp, late: bool) -> int:
    """Return how many of the waiting bytes go out now.

    All of them, where little is under way. ``tcp_nagle_test()`` may hold a small segment back while
    another is not acknowledged, ``tcp_cwnd_test()`` and ``tcp_snd_wnd_test()`` may stop a large one:
    both depend on when the receiver acknowledges and how much it makes room for, so any amount is allowed.
    """
    waiting = len(sk.out)
    peer = sk.peer
    calm = not late and not sk.lost
    if not waiting or (calm and not isinstance(peer, Tcp)):
        return waiting
    small = calm and isinstance(peer, Tcp) and waiting + len(peer.rx) <= SURE and peer.has_room()
    corked = bool(sk.nonagle & TCP_NAGLE_CORK) or sk.more
    # tcp_nagle_test(): a FIN, urgent bytes and TCP_NODELAY send at once.
    at_once = (
        sk.fin_out is not None
        or sk.snd_up is not None
        or bool(sk.nonagle & TCP_NAGLE_PUSH)
        or (sk.nonagle & TCP_NAGLE_OFF and not corked)
    )
    if small and (at_once or not (corked or (sk.bytes_sent and not sk.quickack))):
        return waiting
    if small and corked and sk.quickack:
        kernel.net.inet.held_back = True
        return 0

    def find(seen: Observed) -> int | None:
        tcp = seen.tcp(sk)
        if tcp is not None:
            return tcp.bytes_sent - sk.bytes_sent
        return _arrived(seen, peer, waiting) if sk.closing and isinstance(peer, Tcp) else None

    went = kernel.choose(WRITE_XMIT, find, lambda size: 0 <= size <= waiting, otherwise=None)
    if went is None:
        return 0 if corked or late else waiting
    if went < waiting:
        kernel.net.inet.held_back = True
    return went


def _arrived(seen: Observed, receiver: Tcp, waiting: int) -> int:
    """Return the bytes of a closed sock that were seen to arrive: its own side is not visible any more."""
    tcp = seen.tcp(receiver)
    return 0 if tcp is None else max(0, min(waiting, tcp.bytes_received - receiver.bytes_received))


def waits_for_timer(kernel: Kernel) -> bool:
    """Tell whether a TCP timer is about to send a SYN again, or bytes that were held back."""
    socks = (socket.sk for socket in kernel.net.sockets.values())
    return kernel.net.inet.held_back or any(isinstance(sk, Tcp) and sk.state == "TCP_SYN_SENT" for sk in socks)


def inet_csk_listen_stop(kernel: Kernel, sk: Tcp) -> None:
    """Reset every connection that nobody accepted (``inet_csk_listen_stop()``, ``inet_child_forget()``)."""
    while sk.accept_queue:
        child = sk.accept_queue.pop(0)
        sk.ack_backlog -= 1
        tcp_disconnect(kernel, child)
        sock_orphan(child)
        inet_csk_destroy_sock(kernel, child)


def tcp_disconnect(kernel: Kernel, sk: Tcp) -> None:
    """Forget the connection; the other end is reset (``tcp_disconnect()``)."""
    old = sk.state
    if old != "TCP_CLOSE":
        tcp_set_state(kernel, sk, "TCP_CLOSE")
    if old == "TCP_LISTEN":
        inet_csk_listen_stop(kernel, sk)
    elif old in SYNCHRONISED or (sk.out and old in ("TCP_CLOSING", "TCP_LAST_ACK")):
        tcp_send_active_reset(kernel, sk)
        sk.err = ECONNRESET
    elif old == "TCP_SYN_SENT":
        sk.err = ECONNRESET
    sk.peer = None
    sk.rx.clear()
    sk.fin = None
    sk.urg_data = 0
    sk.out.clear()
    sk.lost.clear()
    sk.fin_lost = False
    sk.fin_out = None
    sk.dport = 0
    inet_bhash2_reset_saddr(sk)
    sk.shutdown = 0
    sk.set_flag("SOCK_DONE", False)
    sk.bytes_sent = sk.bytes_received = 0
    sk.fastopen_req = False
    sk.sent.clear()
    sk.write_gap += 2
    sk.unsent_gap += 2
    error_report(kernel, sk)


def inet_bhash2_reset_saddr(sk: Tcp) -> None:
    """Forget a local address that bind() did not ask for (``inet_bhash2_reset_saddr()``)."""
    if "SOCK_BINDADDR_LOCK" not in sk.userlocks:
        sk.reset_saddr()


def tcp_close(task: Task, sk: Tcp, timeout: int | None) -> Sleeps[None]:
    """End the socket's side; unread bytes reset the connection (``__tcp_close()``).

    :param timeout: jiffies to wait until all is sent and acknowledged, 0 for not at all
    """
    kernel = task.kernel
    sk.shutdown = SHUTDOWN_MASK
    sk.closing = True
    if sk.state == "TCP_LISTEN":
        tcp_set_state(kernel, sk, "TCP_CLOSE")
        inet_csk_listen_stop(kernel, sk)
    else:
        unread = bool(sk.rx)
        sk.rx.clear()
        if sk.state == "TCP_CLOSE":
            pass
        elif unread:
            tcp_set_state(kernel, sk, "TCP_CLOSE")
            tcp_send_active_reset(kernel, sk)
        elif sk.flag("SOCK_LINGER") and sk.lingertime == 0:
            tcp_disconnect(kernel, sk)
        elif tcp_close_state(kernel, sk):
            # What answers the FIN waits in the backlog until the sock is an orphan (__release_sock()).
            sk.set_flag("SOCK_DEAD", timeout == 0)
            tcp_send_fin(kernel, sk)
        if sk.out or sk.fin_out == "queued" or sk.lost:
            kernel.net.inet.orphans.append(sk)
            yield from sk_stream_wait_close(task, sk, Timeo(timeout))
    sock_orphan(sk)
    if sk.state == "TCP_FIN_WAIT2" and sk.quickack:
        if sk.linger2 < 0:
            tcp_set_state(kernel, sk, "TCP_CLOSE")
            tcp_send_active_reset(kernel, sk)
        else:
            tcp_time_wait(kernel, sk, "TCP_FIN_WAIT2")
            return
    if sk.state == "TCP_CLOSE":
        inet_csk_destroy_sock(kernel, sk)


def sk_stream_wait_close(task: Task, sk: Tcp, timeo: Timeo) -> Sleeps[None]:
    """Wait until nothing is under way, as SO_LINGER asks for (``sk_stream_wait_close()``)."""
    if not timeo or sk.wq is None:
        return
    queue, entry = sk.wq, WaitEntry(task, False, kind="woken_wake_function")
    entry.autoremove = False
    queue.add(entry)
    while sk.state in CLOSING and timeo and not task.signal_pending():
        yield from timeo.sleep(task)
    queue.remove(entry)
