"""Listening and accepting (``net/ipv4/inet_connection_sock.c``, ``af_inet.c``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktrace.include.linux.types import u32
from ktrace.include.net.sock import SEND_SHUTDOWN
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.reuseport import add_sock
from ktrace.model.net.core.sock import Socket, sock_graft
from ktrace.model.net.core.sock_callbacks import data_ready
from ktrace.model.net.core.sock_wait import Timeo, prepare_to_wait, sleeper, sock_intr_errno, sock_rcvtimeo
from ktrace.model.net.inet.ports import choose_port
from ktrace.model.net.inet.tcp.inet_hashtables import listeners
from ktrace.model.net.inet.tcp.option import retrans_to_secs
from ktrace.model.net.inet.tcp.segment import tcp_send_fin
from ktrace.model.net.inet.tcp.sock import RequestSock, Tcp, tcp_sk
from ktrace.model.net.inet.tcp.tcp_minisocks import tcp_v4_syn_recv_sock
from ktrace.model.net.inet.tcp.tcp_state import tcp_close_state, tcp_set_state
from ktrace.model.task import Errno, Task
from ktrace.model.timer import start
from ktrace.model.wait import Sleeps
from ktrace.state.net.sock import Sock as ObservedSock
from ktrace.state.rule import Rule
from ktrace.uapi.fcntl import O_NONBLOCK

if TYPE_CHECKING:
    from ktrace.model.observed import Observed


OPEN_PORT = Rule("net/ipv4/inet_connection_sock.c", "inet_csk_find_open_port", "any free port")
REQSK_TIMER = Rule("net/ipv4/inet_connection_sock.c", "reqsk_timer_handler", "at any time after the timer's")


def inet_csk_get_port(kernel: Kernel, sk: Tcp, port: int) -> None:
    """Take a local port (``inet_csk_get_port()``).

    :raises Errno: EADDRINUSE
    """
    table = kernel.net.inet.bhash
    table.expire(kernel, asked=True)
    if not port:

        def free(number: int) -> bool:
            bucket = table.buckets.get(number)
            return bucket is None or not table.conflict(sk, number, False, False)

        held = set(table.buckets)

        def port_of(value: ObservedSock) -> int | None:
            if value.inet is None or value.tcp is None or value.inet.inet_num in held:
                return None
            return value.inet.inet_num

        try:
            port = choose_port(kernel, OPEN_PORT, sk, port_of, free, parity=None if sk.reuse else 1)
        except Errno:
            raise Errno("EADDRINUSE") from None
    elif table.conflict(sk, port, True, True):
        raise Errno("EADDRINUSE")
    if sk.bind_hash is None:
        table.hold(sk, port, by_bind=True)
    table.buckets[port].by_bind = True


def inet_listen(kernel: Kernel, sk: Tcp, sock: Socket, backlog: int) -> int:
    """Take connections (``inet_listen()``, ``inet_csk_listen_start()``)."""
    if sock.state != "SS_UNCONNECTED" or sk.state not in ("TCP_CLOSE", "TCP_LISTEN"):
        raise Errno("EINVAL")
    sk.max_ack_backlog = u32(backlog)
    if sk.state != "TCP_LISTEN":
        sk.ack_backlog = 0
        sk.state = "TCP_LISTEN"
        try:
            inet_csk_get_port(kernel, sk, sk.inet_num)
        except Errno:
            tcp_set_state(kernel, sk, "TCP_CLOSE")
            raise
        sk.sport = sk.inet_num
        if sk.reuseport:
            add_sock(sk, listeners(kernel, sk.inet_num))
        sk.flags.add("SOCK_RCU_FREE")
    return 0


def inet_csk_complete_hashdance(kernel: Kernel, listener: Tcp, client: Tcp) -> Tcp:
    """Put the server's end on the accept queue (``inet_csk_complete_hashdance()``, ``tcp_child_process()``)."""
    child = tcp_v4_syn_recv_sock(kernel, listener, client)
    listener.accept_queue.append(child)
    listener.ack_backlog += 1
    shut_down_before(kernel, child)
    data_ready(kernel, listener)
    return child


def defer(kernel: Kernel, listener: Tcp, client: Tcp) -> RequestSock:
    """Keep the request until something is sent, or its SYN-ACK has been sent again often enough."""

    def complete(kernel: Kernel) -> Tcp | None:
        listener.requests.remove(request)
        if listener.state != "TCP_LISTEN":
            return None
        if listener.ack_backlog > listener.max_ack_backlog:
            raise NotImplementedError("the model does not drop what completes a connection for which there is no room")
        return inet_csk_complete_hashdance(kernel, listener, client)

    client.deferred = True
    request = RequestSock(listener, complete, start(kernel, retrans_to_secs(listener.defer_accept)))
    listener.requests.append(request)
    return request


def reqsk_timer_handler(kernel: Kernel, listener: Tcp) -> None:
    """Accept requests whose SYN-ACK was sent often enough (``reqsk_timer_handler()``, ``syn_ack_recalc()``)."""

    def find(seen: Observed) -> bool | None:
        twin = seen.listener(listener.inet_num)
        return twin.syn_queue < len(listener.requests) if twin is not None else None

    for request in list(listener.requests):
        timer = request.timer
        gone = kernel.choose(
            REQSK_TIMER,
            find,
            timer.may_fire_in(kernel.clock) if timer is not None else lambda fired: not fired,
            otherwise=False,
        )
        if gone or (timer is not None and timer.must_expire(kernel.clock)):
            request.complete(kernel)


def shut_down_before(kernel: Kernel, sk: Tcp) -> None:
    """Send the FIN that shutdown() asked for before there was a connection (TCP_SYN_RECV only)."""
    if sk.shutdown & SEND_SHUTDOWN and tcp_close_state(kernel, sk):
        tcp_send_fin(kernel, sk)


def inet_csk_accept(task: Task, sock: Socket, newsock: Socket, flags: int) -> Sleeps[int]:
    """Take the oldest connection (``inet_csk_accept()``, ``__inet_accept()``)."""
    sk = tcp_sk(sock.sk)
    if sk.state != "TCP_LISTEN":
        raise Errno("EINVAL")
    if not sk.accept_queue:
        timeo = sock_rcvtimeo(sk, flags & O_NONBLOCK)
        if not timeo:
            raise Errno("EAGAIN")
        yield from inet_csk_wait_for_connect(task, sk, timeo)
    child = sk.accept_queue.pop(0)
    sk.ack_backlog -= 1
    if "SOCK_SUPPORT_ZC" in sock.flags:
        newsock.flags.add("SOCK_SUPPORT_ZC")
    sock_graft(child, newsock)
    newsock.state = "SS_CONNECTED"
    return 0


def inet_csk_wait_for_connect(task: Task, sk: Tcp, timeo: Timeo) -> Sleeps[None]:
    """``inet_csk_wait_for_connect()``."""
    assert sk.wq is not None
    queue = sk.wq
    entry = sleeper(task, exclusive=True)
    try:
        while True:
            prepare_to_wait(queue, entry)
            if not sk.accept_queue:
                yield from timeo.sleep(task)
            if sk.accept_queue:
                return
            if sk.state != "TCP_LISTEN":
                raise Errno("EINVAL")
            if task.signal_pending():
                raise sock_intr_errno(timeo)
            if not timeo:
                raise Errno("EAGAIN")
    finally:
        queue.remove(entry)
