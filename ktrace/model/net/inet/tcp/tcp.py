"""Ending a connection: disconnect() and close() (``net/ipv4/tcp.c``, ``inet_connection_sock.c``)."""

from __future__ import annotations

from ktrace.include.net.sock import SHUTDOWN_MASK
from ktrace.include.net.tcp import TCP_MIN_MSS
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.sock import sock_orphan
from ktrace.model.net.core.sock_callbacks import error_report
from ktrace.model.net.core.sock_wait import Timeo
from ktrace.model.net.inet.tcp.segment import tcp_send_fin
from ktrace.model.net.inet.tcp.sock import Tcp
from ktrace.model.net.inet.tcp.tcp_minisocks import tcp_time_wait
from ktrace.model.net.inet.tcp.tcp_output import tcp_send_active_reset
from ktrace.model.net.inet.tcp.tcp_state import inet_csk_destroy_sock, tcp_close_state, tcp_set_state
from ktrace.model.task import Task
from ktrace.model.wait import Sleeps, WaitEntry
from ktrace.uapi.errno import ECONNRESET

CLOSING = ("TCP_FIN_WAIT1", "TCP_CLOSING", "TCP_LAST_ACK")
"""``sk_stream_closing()``."""

SYNCHRONISED = ("TCP_ESTABLISHED", "TCP_CLOSE_WAIT", "TCP_FIN_WAIT1", "TCP_FIN_WAIT2", "TCP_SYN_RECV")


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
    sk.peek_off = -1
    sk.rx.clear()
    sk.fin = None
    sk.urg_data = 0
    sk.out.clear()
    sk.lost.clear()
    sk.fin_lost = False
    sk.fin_out, sk.fin_in_doubt = None, False
    sk.dport = 0
    inet_bhash2_reset_saddr(sk)
    sk.shutdown = 0
    sk.set_flag("SOCK_DONE", False)
    sk.bytes_sent = sk.bytes_received = 0
    sk.fastopen_req = False
    sk.deferred = False
    sk.handshake = sk.gaps = sk.snd_wscale = None
    sk.rcv_mss = TCP_MIN_MSS
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
        if is_sending(sk):
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


def is_sending(sk: Tcp) -> bool:
    """Tell whether bytes or a FIN still have to arrive."""
    return bool(sk.out or sk.lost or sk.fin_lost) or sk.fin_out == "queued"


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
