"""What one end does with a segment that it received (``net/ipv4/tcp_input.c``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktrace.include.net.sock import SEND_SHUTDOWN
from ktrace.include.net.tcp import TCP_URG_NOTYET, TCP_URG_VALID
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.sock_callbacks import data_ready, error_report, send_sigurg, state_change
from ktrace.model.net.inet.ports import TimeWait
from ktrace.model.net.inet.tcp.byte_queue import ByteQueue
from ktrace.model.net.inet.tcp.sock import RequestSock, Tcp
from ktrace.model.net.inet.tcp.tcp_minisocks import tcp_time_wait
from ktrace.model.net.inet.tcp.tcp_state import tcp_done, tcp_set_state
from ktrace.state.rule import Rule
from ktrace.uapi.errno import ECONNREFUSED, ECONNRESET, EPIPE

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

RMEM = Rule("net/ipv4/tcp_input.c", "tcp_try_rmem_schedule", "a segment that finds no room is dropped")


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
