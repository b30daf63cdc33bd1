"""What is sent again (``net/ipv4/tcp_timer.c``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktrace.model.kernel import Kernel
from ktrace.model.net.inet.tcp.connect import tcp_conn_request
from ktrace.model.net.inet.tcp.inet_hashtables import inet_lookup_listener
from ktrace.model.net.inet.tcp.segment import deliver_fin, tcp_data_queue
from ktrace.model.net.inet.tcp.sock import Tcp
from ktrace.model.net.inet.tcp.tcp_input import fin_taken, tcp_reset, tcp_try_rmem_schedule
from ktrace.state.rule import Rule

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

RETRANSMIT = Rule("net/ipv4/tcp_timer.c", "tcp_retransmit_timer", "when it sends again and hears that nobody is there")
TIMER_WHEEL = Rule("kernel/time/timer.c", "calc_wheel_index", "timers due within 32 ms of each other, in any order")
SECOND_SYN = Rule("net/ipv4/tcp_timer.c", "tcp_retransmit_timer", "a second SYN finds room, or nobody")


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
    if sender.lost:
        tcp_data_queue(kernel, sender, sk, tcp_try_rmem_schedule(kernel, sender, sk))
    if sender.fin_lost and not sender.lost and fin_taken(kernel, sender):
        deliver_fin(kernel, sender)


def waits_for_timer(kernel: Kernel) -> bool:
    """Tell whether a TCP timer is about to send a SYN again, or bytes that were held back."""
    socks = (socket.sk for socket in kernel.net.sockets.values())
    return kernel.net.inet.held_back or any(isinstance(sk, Tcp) and sk.state == "TCP_SYN_SENT" for sk in socks)


def retransmit_syns(kernel: Kernel) -> None:
    """Send the SYNs of all waiting socks again, in the order in which listeners were seen to take them.

    Timers that are due within 32 ms of each other fire in any order (``kernel/time/timer.c: calc_wheel_index()``).
    """
    waiting = [
        socket.sk
        for socket in kernel.net.sockets.values()
        if isinstance(socket.sk, Tcp) and socket.sk.state == "TCP_SYN_SENT"
    ]

    def find(seen: Observed) -> list[int]:
        taken = seen.accepted()
        return sorted(ports, key=lambda port: taken.index(port) if port in taken else len(taken))

    if len(waiting) > 1:
        ports = [sk.sport for sk in waiting]
        order = kernel.choose(TIMER_WHEEL, find, lambda order: True, otherwise=ports)
        waiting.sort(key=lambda sk: order.index(sk.sport))
    for sk in waiting:
        retransmit_syn(kernel, sk)


def retransmit_syn(kernel: Kernel, sk: Tcp) -> None:
    """Send a SYN again that a full accept queue had dropped (``tcp_retransmit_timer()``).

    The timer runs after one second, three, seven, ...: whether it did shows in the connection.
    """

    def find(seen: Observed) -> str:
        connection = seen.connection(sk)
        if connection is not None:
            return "waits" if connection.sk_state == "TCP_SYN_SENT" else "answered"
        if inet_lookup_listener(kernel, sk) is not None:
            return "waits"
        # Refused, or nobody has it open any more: then only who sleeps in connect() can tell.
        sleepers = [entry.task for entry in sk.wq.entries if entry.task is not None] if sk.wq is not None else []
        gone = not seen.blind if _is_open(kernel, sk) else any(map(seen.returned, sleepers))
        return "refused" if gone else "waits"

    fate = kernel.choose(SECOND_SYN, find, lambda fate: True, otherwise="waits")
    if fate == "refused":
        tcp_reset(kernel, sk)
    elif fate == "answered":
        answer = tcp_conn_request(kernel, sk)
        if answer is not None:
            answer()


def _is_open(kernel: Kernel, sk: Tcp) -> bool:
    """Tell whether an actor has the socket of *sk* open, so that the World shows it."""
    return any(
        sk.socket is not None and slot.file.private is sk.socket
        for task in kernel.tasks.values()
        for slot in task.files.slots.values()
    )
