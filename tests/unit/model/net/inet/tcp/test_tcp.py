"""TCP over the loopback: ``net/ipv4/af_inet.c``, ``tcp.c``, ``tcp_input.c``, ``inet_connection_sock.c``."""

from __future__ import annotations

from ktrace.state.allowed import OneOf
from ktrace.uapi.socket import (
    AF_INET,
    MSG_OOB,
    SHUT_RDWR,
    SHUT_WR,
    SO_LINGER,
    SO_REUSEADDR,
    SOCK_NONBLOCK,
    SOCK_STREAM,
    SOL_SOCKET,
)
from tests.unit.model.bench import Bench, inet


def stream(bench: Bench, actor: str, flags: int = 0) -> int:
    fd = bench.call(actor, "socket", AF_INET, SOCK_STREAM | flags, 0)
    assert isinstance(fd, int)
    return fd


def server(bench: Bench, port: int = 5000, backlog: int = 5) -> int:
    fd = stream(bench, "A")
    assert bench.call("A", "bind", fd, inet(port)) == 0
    assert bench.call("A", "listen", fd, backlog) == 0
    return fd


def connected(bench: Bench) -> tuple[int, int]:
    """Return A's end and B's end."""
    fd = server(bench)
    client = stream(bench, "B")
    assert bench.call("B", "connect", client, inet(5000)) == 0
    accepted = bench.call("A", "accept", fd)
    assert isinstance(accepted, int)
    return accepted, client


def test_addresses_that_cannot_be_bound() -> None:
    """__inet_bind()."""
    bench = Bench("ABU")
    fd = stream(bench, "U")
    assert bench.call("U", "bind", fd, inet(80)) == "EACCES"
    assert bench.call("U", "bind", fd, inet(5000, "10.1.2.3")) == "EADDRNOTAVAIL"
    assert bench.call("U", "bind", fd, inet(5000), addrlen=8) == "EINVAL"
    assert bench.call("U", "bind", fd, {"sa_family": 10, "sa_data": bytes(26)}) == "EAFNOSUPPORT"
    assert bench.call("U", "bind", fd, inet(5000)) == 0
    assert bench.call("U", "bind", fd, inet(5001)) == "EINVAL"


def test_who_excludes_whom_from_a_port() -> None:
    """inet_bind_conflict(): both reuse and neither listens; wild cards meet every address."""
    bench = Bench("ABU")
    first, second, third = (stream(bench, "A") for _ in range(3))
    for fd in (first, second):
        bench.call("A", "setsockopt", fd, SOL_SOCKET, SO_REUSEADDR, 1)
    assert bench.call("A", "bind", first, inet(5000)) == 0
    assert bench.call("A", "bind", second, inet(5000, "0.0.0.0")) == 0
    assert bench.call("A", "bind", third, inet(5000)) == "EADDRINUSE"
    assert bench.call("A", "bind", third, inet(5000, "127.0.0.2")) == "EADDRINUSE"
    assert bench.call("A", "listen", first, 1) == 0
    assert bench.call("A", "listen", second, 1) == "EADDRINUSE"


def test_the_handshake_is_over_when_connect_returns() -> None:
    """tcp_v4_connect() to tcp_child_process(): in the softirq of the sender."""
    bench = Bench("ABU")
    fd = server(bench)
    client = stream(bench, "B")
    assert bench.call("B", "connect", client, inet(5000)) == 0
    sock, listener = bench.sock("B", client), bench.sock("A", fd)
    assert sock.inet is not None and listener.tcp is not None
    assert (sock.sk_state, sock.inet.inet_daddr, sock.inet.inet_dport) == ("TCP_ESTABLISHED", "127.0.0.1", 5000)
    assert 32768 <= sock.inet.inet_num <= 60999
    assert (listener.sk_ack_backlog, len(listener.tcp.accept_queue)) == (1, 1)
    assert bench.call("B", "connect", client, inet(5000)) == "EISCONN"
    bench.call("A", "accept", fd)
    assert bench.out("A", "addr") == inet(sock.inet.inet_num)


def test_without_waiting_connect_is_told_twice() -> None:
    """__inet_stream_connect(): EINPROGRESS, then what the handshake came to."""
    bench = Bench("ABU")
    server(bench)
    client = stream(bench, "B", SOCK_NONBLOCK)
    assert bench.call("B", "connect", client, inet(5000)) == "EINPROGRESS"
    assert bench.kernel.tasks["B"].files.get(client).private.state == "SS_CONNECTING"
    assert bench.call("B", "connect", client, inet(5000)) == 0
    refused = stream(bench, "B", SOCK_NONBLOCK)
    assert bench.call("B", "connect", refused, inet(6000)) == "EINPROGRESS"
    assert bench.sock("B", refused).sk_err == 111
    assert bench.call("B", "connect", refused, inet(6000)) == "ECONNREFUSED"


def test_refused_and_unreachable() -> None:
    """tcp_reset() in TCP_SYN_SENT; ip_route_connect()."""
    bench = Bench("ABU")
    fd = stream(bench, "B")
    assert bench.call("B", "connect", fd, inet(6000)) == "ECONNREFUSED"
    sock = bench.sock("B", fd)
    assert sock.inet is not None
    assert (sock.sk_state, sock.inet.inet_num, sock.sk_shutdown) == ("TCP_CLOSE", 0, ())
    assert bench.call("B", "connect", fd, inet(6000, "10.0.0.1")) == "ENETUNREACH"
    assert bench.call("B", "connect", fd, inet(6000), addrlen=4) == "EINVAL"


def test_a_full_accept_queue_drops_the_syn() -> None:
    """sk_acceptq_is_full(): one more than the backlog fits, then connect() waits for a retransmission."""
    bench = Bench("ABU")
    server(bench, backlog=0)
    first, second = stream(bench, "B"), stream(bench, "B")
    assert bench.call("B", "connect", first, inet(5000)) == 0
    assert bench.call("B", "connect", second, inet(5000)) == "blocked"


def test_bytes_and_end_of_file() -> None:
    """tcp_recvmsg_locked(), tcp_fin()."""
    bench = Bench("ABU")
    a, b = connected(bench)
    assert bench.call("A", "read", a, 10) == "blocked"
    assert bench.call("B", "write", b, b"hello") == 5
    assert bench.out("A", "buf") == b"hello"
    assert bench.call("B", "shutdown", b, SHUT_WR) == 0
    assert bench.sock("A", a).sk_state == "TCP_CLOSE_WAIT"
    state = bench.sock("B", b).sk_state
    assert isinstance(state, OneOf) and state.values == ("TCP_FIN_WAIT1", "TCP_FIN_WAIT2")
    assert bench.call("A", "read", a, 10) == 0
    assert bench.call("A", "write", a, b"half open") == 9
    assert bench.call("B", "read", b, 4) == 4
    assert bench.call("B", "write", b, b"x") == "EPIPE"
    assert [signal for _, signal in bench.signals] == ["SIGPIPE"]


def test_the_last_fin_leaves_a_port_in_time_wait() -> None:
    """tcp_time_wait(): it keeps the port, SO_REUSEADDR on both sides shares it."""
    bench = Bench("ABU")
    a, b = connected(bench)
    bench.call("A", "close", a)
    assert bench.sock("B", b).sk_state == "TCP_CLOSE_WAIT"
    bench.call("B", "close", b)
    bench.call("A", "close", 0)
    fd = stream(bench, "A")
    assert bench.call("A", "bind", fd, inet(5000)) == "EADDRINUSE"
    bench.call("A", "setsockopt", fd, SOL_SOCKET, SO_REUSEADDR, 1)
    # the connection in TIME_WAIT did not reuse
    assert bench.call("A", "bind", fd, inet(5000)) == "EADDRINUSE"


def test_unread_bytes_reset_the_connection() -> None:
    """__tcp_close(): RFC 2525; the reader is told once."""
    bench = Bench("ABU")
    a, b = connected(bench)
    bench.call("B", "write", b, b"lost")
    bench.call("A", "close", a)
    assert bench.sock("B", b).sk_err == 104
    assert bench.call("B", "write", b, b"x") == "ECONNRESET"
    assert bench.signals == []
    assert bench.call("B", "write", b, b"x") == "EPIPE"
    assert [signal for _, signal in bench.signals] == ["SIGPIPE"]
    assert bench.call("B", "read", b, 1) == 0


def test_data_after_close_is_reset() -> None:
    """tcp_rcv_state_process(): RFC 1122, a sender in CLOSE_WAIT sees EPIPE."""
    bench = Bench("ABU")
    a, b = connected(bench)
    bench.call("A", "close", a)
    assert bench.call("B", "write", b, b"x") == 1
    assert bench.sock("B", b).sk_err == 32
    assert bench.call("B", "write", b, b"x") == "EPIPE"


def test_lingering_for_no_time_resets() -> None:
    """__tcp_close(): SO_LINGER with 0."""
    bench = Bench("ABU")
    a, b = connected(bench)
    bench.call("A", "setsockopt", a, SOL_SOCKET, SO_LINGER, {"l_onoff": 1, "l_linger": 0})
    bench.call("A", "close", a)
    assert bench.call("B", "read", b, 1) == "ECONNRESET"


def test_closing_a_listener_resets_who_waits() -> None:
    """inet_csk_listen_stop(), inet_child_forget()."""
    bench = Bench("ABU")
    fd = server(bench)
    client = stream(bench, "B")
    bench.call("B", "connect", client, inet(5000))
    bench.call("A", "close", fd)
    assert bench.call("B", "read", client, 1) == "ECONNRESET"


def test_shutdown_of_what_is_not_connected() -> None:
    """inet_shutdown(): ENOTCONN, and the direction stays closed."""
    bench = Bench("ABU")
    fd = stream(bench, "A")
    assert bench.call("A", "shutdown", fd, 3) == "EINVAL"
    assert bench.call("A", "shutdown", fd, SHUT_WR) == "ENOTCONN"
    assert bench.sock("A", fd).sk_shutdown == ("SEND_SHUTDOWN",)
    listener = server(bench)
    assert bench.call("A", "shutdown", listener, SHUT_RDWR) == 0
    assert bench.sock("A", listener).sk_state == "TCP_CLOSE"


def test_the_urgent_byte() -> None:
    """tcp_check_urg(), tcp_recv_urg(): out of the stream, unless it is wanted in line."""
    bench = Bench("ABU")
    a, b = connected(bench)
    bench.call("B", "sendto", b, b"abX", flags=MSG_OOB)
    bench.call("B", "write", b, b"cd")
    assert bench.call("A", "read", a, 10) == 2
    assert bench.call("A", "ioctl", a, 0x8905) == 0
    assert bench.out("A", "arg") == 1
    assert bench.call("A", "recvfrom", a, 1, flags=MSG_OOB) == 1
    assert bench.out("A", "buf") == b"X"
    assert bench.call("A", "read", a, 10) == 2
    assert bench.out("A", "buf") == b"cd"
    assert bench.call("A", "recvfrom", a, 1, flags=MSG_OOB) == "EINVAL"


def test_a_reset_wakes_who_reads() -> None:
    """tcp_done_with_error(), sk_error_report()."""
    bench = Bench("ABU")
    a, b = connected(bench)
    bench.call("A", "setsockopt", a, SOL_SOCKET, SO_LINGER, {"l_onoff": 1, "l_linger": 0})
    assert bench.call("B", "read", b, 1) == "blocked"
    bench.call("A", "close", a)
    assert bench.results["B"].errno == "ECONNRESET"


def test_connecting_to_oneself() -> None:
    """tcp_rcv_synsent_state_process(): a simultaneous open with oneself."""
    bench = Bench("ABU")
    fd = stream(bench, "A")
    bench.call("A", "bind", fd, inet(5000))
    assert bench.call("A", "connect", fd, inet(5000)) == 0
    bench.call("A", "write", fd, b"echo")
    assert bench.call("A", "read", fd, 10) == 4
