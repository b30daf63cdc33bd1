"""The states of a connection, up to its end (``net/ipv4/tcp.c``, ``inet_connection_sock.c``)."""

from __future__ import annotations

from ktrace.include.net.sock import SHUTDOWN_MASK
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.reuseport import detach
from ktrace.model.net.core.sock_callbacks import state_change
from ktrace.model.net.inet.tcp.sock import Tcp


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
    sk.keep_gaps()
    tcp_set_state(kernel, sk, "TCP_CLOSE")
    sk.shutdown = SHUTDOWN_MASK
    sk.peer = None
    if not sk.flag("SOCK_DEAD"):
        state_change(kernel, sk)
    else:
        inet_csk_destroy_sock(kernel, sk)


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
