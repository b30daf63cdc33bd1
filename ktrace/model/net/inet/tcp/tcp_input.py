"""What one end does with a segment that it received (``net/ipv4/tcp_input.c``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktrace.include.net.sock import SEND_SHUTDOWN
from ktrace.include.net.tcp import TCP_URG_NOTYET, TCP_URG_VALID
from ktrace.model.fs.epoll import EventPoll, was_heard
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.sock_callbacks import data_ready, error_report, send_sigurg, state_change
from ktrace.model.net.inet.ports import TimeWait
from ktrace.model.net.inet.tcp.byte_queue import ByteQueue
from ktrace.model.net.inet.tcp.sock import SURE, RequestSock, Tcp
from ktrace.model.net.inet.tcp.tcp_minisocks import tcp_time_wait
from ktrace.model.net.inet.tcp.tcp_state import tcp_done, tcp_set_state
from ktrace.state.rule import Rule
from ktrace.uapi.errno import ECONNREFUSED, ECONNRESET, EPIPE
from ktrace.uapi.eventpoll import EPOLLIN

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

RMEM = Rule("net/ipv4/tcp_input.c", "tcp_try_rmem_schedule", "a segment that finds no room is dropped")
TOLD = Rule("net/ipv4/tcp_input.c", "tcp_data_queue", "readers hear of a segment that is dropped for want of room")
FIN_RMEM = Rule("net/ipv4/tcp_input.c", "tcp_data_queue", "a FIN that finds no room is dropped, too, and sent again")


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
    sk.keep_gaps()
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
        kernel.net.inet.held_back = kernel.net.inet.dropped = True
    data = sender.lost[:size]
    del sender.lost[:size]
    return data


def fin_taken(kernel: Kernel, sender: Tcp, size: int = 0) -> bool:
    """Tell whether the other end takes the FIN of *sender*, behind *size* bytes that go now (``tcp_data_queue()``).

    Like any segment it is dropped where what is unread fills ``sk_rcvbuf``; later kernels take one without bytes.
    """
    sk = sender.peer
    if not isinstance(sk, Tcp) or fin_is_sure(sender, sk, size):
        return True
    if not (sk.rx or size or sender.fin_lost or sender.lost or sender.closing):
        return True  # it was seen to go out, and an empty queue takes it
    taken = kernel.choose(FIN_RMEM, lambda seen: fin_arrived(seen, sk), lambda taken: True, otherwise=True)
    if not taken:
        kernel.net.inet.held_back = True
        if not sender.fin_lost:
            tell_dropped(kernel, sk, surely=not (size or sender.lost or sender.closing))
    return taken


def tell_dropped(kernel: Kernel, sk: Tcp, surely: bool) -> None:
    """Tell readers of a segment that found no room, so that they make some (``tcp_data_queue()``).

    :param surely: it was seen to go out, behind nothing that is missing; else the window may have held it back, or
        the queue of what is out of order may have had room
    """
    if not sk.flag("SOCK_DEAD") and (
        surely or kernel.choose(TOLD, lambda seen: _heard(kernel, seen, sk), lambda told: True, otherwise=False)
    ):
        data_ready(kernel, sk)


def _heard(kernel: Kernel, seen: Observed, sk: Tcp) -> bool | None:
    """Tell whether an epoll set heard of *sk* that has it not on its ready list here, ``None`` where none can tell."""
    heard = None
    for task in kernel.tasks.values():
        for slot in task.files.slots.values():
            ep = slot.file.private
            if isinstance(ep, EventPoll):
                for item in ep.items:
                    if item.file.private is sk.socket and item.events & EPOLLIN and item not in ep.ready:
                        heard = heard or was_heard(kernel, seen, ep, item)
    return heard


def fin_is_sure(sk: Tcp, peer: Tcp, size: int) -> bool:
    """Tell whether the FIN of *sk* surely finds room at its *peer*, behind *size* bytes more.

    Not even an empty queue says so: who skips an urgent byte does not tell that the window is open
    (``tcp_cleanup_rbuf()``).
    """
    return not (sk.lost or sk.fin_lost) and peer.has_room() and len(peer.rx) + size <= SURE


def fin_arrived(seen: Observed, receiver: Tcp) -> bool | None:
    """Tell whether *receiver* was seen to have a FIN, ``None`` where it is not visible (``tcp_fin()``)."""
    found = seen.connection(receiver) or seen.sock(receiver)  # which it closes, where it was the second
    return None if found is None else "SOCK_DONE" in found.sk_flags


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
        elif sk.socket is None:  # else tcp_close(), which waits for it, goes on itself
            if sk.linger2 < 0:
                tcp_done(kernel, sk)
            else:
                tcp_time_wait(kernel, sk, "TCP_FIN_WAIT2")
    elif sk.state == "TCP_CLOSING":
        tcp_time_wait(kernel, sk, "TCP_TIME_WAIT")
    elif sk.state == "TCP_LAST_ACK":
        tcp_done(kernel, sk)
