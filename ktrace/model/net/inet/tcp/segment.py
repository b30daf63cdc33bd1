"""A segment's way from one end to the other over the loopback (``net/ipv4/tcp_output.c``, ``tcp_input.c``).

A segment sent on the loopback is received before the sender goes on: ``ip_local_out()`` puts it into the
backlog of the CPU and ``local_bh_enable()`` runs the softirq. Only acknowledgements may be put off, to
timers (``tcp_delack_timer()``), unless the route asks for quick ones (``tcp_in_quickack_mode()``), as it does
in a lab image; what timers decide is a named set of allowed values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktrace.include.linux.limits import U16_MAX
from ktrace.include.linux.net import SOCK_WAKE_WAITD
from ktrace.include.net.sock import RCV_SHUTDOWN, SHUTDOWN_MASK
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.sock_callbacks import data_ready, sock_wake_async, state_change
from ktrace.model.net.inet.addr6 import is_ipv6
from ktrace.model.net.inet.ip_input import refuse_watchers
from ktrace.model.net.inet.ports import TimeWait
from ktrace.model.net.inet.tcp.byte_queue import ByteQueue
from ktrace.model.net.inet.tcp.sock import RequestSock, Tcp
from ktrace.model.net.inet.tcp.tcp_input import (
    fin_taken,
    tcp_rcv_state_process,
    tcp_reset,
    tcp_try_rmem_schedule,
    tcp_urg,
    tell_dropped,
)
from ktrace.model.net.inet.tcp.tcp_minisocks import tcp_time_wait
from ktrace.model.net.inet.tcp.tcp_output import fin_may_go, is_one_segment, may_send
from ktrace.model.net.inet.tcp.tcp_state import tcp_set_state
from ktrace.state.rule import Rule
from ktrace.uapi.siginfo import POLL_HUP, POLL_IN

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

MAX_TCP_HEADERS = 120
"""Most bytes of an IPv6 and a TCP header with its options."""
BEFORE_RESET = Rule("net/ipv4/tcp_output.c", "tcp_write_xmit", "how much goes before a reset comes back")
SENT_KEPT = 4096
"""Bytes of what was sent that are remembered."""


def tcp_v4_rcv(kernel: Kernel, sender: Tcp, data: ByteQueue, urgent: int | None = None, fin: bool = False) -> None:
    """Take a segment of *sender* at its other end (``tcp_v4_rcv()``, ``tcp_data_queue()``).

    :param fin: a FIN is in it, which is delivered next
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
        behind = bool(sender.lost)
        sender.lost += data
        data = tcp_try_rmem_schedule(kernel, sender, sk)
        tcp_data_queue(kernel, sender, sk, data, fin and not sender.lost)
        if sender.lost:
            tell_dropped(kernel, sk, surely=not behind)
    else:
        tcp_data_queue(kernel, sender, sk, data, fin)


def tcp_data_queue(kernel: Kernel, sender: Tcp, sk: Tcp, data: ByteQueue, fin: bool = False) -> None:
    """Queue bytes for readers, and send what their acknowledgement allows (``tcp_data_queue()``).

    :param fin: readers hear of the bytes when they hear of the FIN behind them, once
    """
    if not len(data):
        return
    sk.rx += data
    sk.rcv_total += len(data)
    sk.bytes_received += len(data)
    if not fin and (len(sk.rx) >= sk.rcvlowat or sk.flag("SOCK_DONE")):
        data_ready(kernel, sk)
    if sk.out and sk is not sender:
        # tcp_data_snd_check(), unless the segment was predicted (tcp_rcv_established()).
        tcp_push_pending_frames(kernel, sk, late=True)


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


def tcp_send_fin(kernel: Kernel, sk: Tcp) -> None:
    """Send a FIN, behind what waits to be sent (``tcp_send_fin()``)."""
    sk.fin_out = "queued"
    tcp_push_pending_frames(kernel, sk)


def tcp_push_pending_frames(kernel: Kernel, sk: Tcp, late: bool = False) -> None:
    """Send waiting bytes as far as Nagle's test and the windows allow (``__tcp_push_pending_frames()``).

    :param late: what happened need not have led to sending: a timer, or a segment that acknowledges nothing new
    """
    size = may_send(kernel, sk, late)
    fin = sk.fin_out == "queued" and size == len(sk.out) and sk.state != "TCP_CLOSE" and fin_may_go(kernel, sk, size)
    taken = fin and fin_taken(kernel, sk, size)
    if size:
        data = sk.out[:size]
        del sk.out[:size]
        sk.bytes_sent += _sent_before_reset(kernel, sk, size)
        sk.sent += bytes(data)
        del sk.sent[:-SENT_KEPT]
        urgent = sk.snd_up
        if urgent is not None:
            if urgent > U16_MAX:
                raise NotImplementedError("the model does not know urgent pointers beyond 65535 bytes")
            sk.snd_up = urgent - size if urgent > size else None
        # tcp_send_fin(): the last segment that waits takes the FIN along.
        tcp_v4_rcv(kernel, sk, data, urgent, taken and is_one_segment(sk, size))
    if fin and sk.fin_out == "queued" and sk.state != "TCP_CLOSE":
        sk.fin_out = "sent"
        sk.fin_lost = not taken or bool(sk.lost)
        if not sk.fin_lost:
            deliver_fin(kernel, sk)


def _sent_before_reset(kernel: Kernel, sk: Tcp, size: int) -> int:
    """Return how much of *size* bytes goes: where the peer answers with a reset, no segment after the first.

    How much is in one follows the route, and how the bytes lie in buffers (``tcp_mss_split_point()``).
    """
    if size <= U16_MAX - MAX_TCP_HEADERS or not _resets(sk):
        return size
    before = sk.bytes_sent

    def find(seen: Observed) -> int | None:
        found = seen.sock(sk)
        return found.tcp.bytes_sent - before if found is not None and found.tcp is not None else None

    return kernel.choose(BEFORE_RESET, find, lambda sent: 0 < sent <= size, size)


def _resets(sk: Tcp) -> bool:
    """Tell whether the peer of *sk* takes no more data (:func:`tcp_v4_rcv`)."""
    peer = sk.peer
    if isinstance(peer, Tcp):
        return peer.state == "TCP_CLOSE" or (
            peer.state in ("TCP_FIN_WAIT1", "TCP_FIN_WAIT2") and bool(peer.shutdown & RCV_SHUTDOWN)
        )
    return peer is None or isinstance(peer, TimeWait)


def tcp_cleanup_rbuf(kernel: Kernel, sk: Tcp) -> None:
    """Have the other end send what a reader of *sk* made room for, within its call (``tcp_cleanup_rbuf()``)."""
    peer = sk.peer
    if isinstance(peer, Tcp) and (peer.out or peer.fin_out == "queued"):
        tcp_push_pending_frames(kernel, peer, late=peer.quickack or peer.closing)


def deliver_fin(kernel: Kernel, sk: Tcp) -> None:
    """Have the peer receive the FIN, and take its acknowledgement."""
    sk.fin_lost = False
    tcp_fin(kernel, sk)
    if (sk.acked_at_once() or (sk.closing and sk.quickack)) and sk.state == "TCP_FIN_WAIT1":
        tcp_rcv_state_process(kernel, sk)
