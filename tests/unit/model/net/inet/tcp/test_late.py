"""What TCP does late, or for others: writers that hear of room, closed socks, bytes held back, what a FIN wakes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ktrace.state.allowed import Between
from ktrace.uapi.ioctls import TIOCOUTQ
from ktrace.uapi.socket import (
    AF_INET,
    MSG_DONTWAIT,
    MSG_MORE,
    SHUT_WR,
    SO_PEERCRED,
    SO_SNDBUF,
    SOCK_DGRAM,
    SOL_SOCKET,
    SOL_TCP,
)
from ktrace.uapi.sockios import SIOCOUTQNSD
from ktrace.uapi.tcp import TCP_CORK, TCP_NODELAY
from tests.unit.model.bench import Bench, inet
from tests.unit.model.net.inet.tcp.test_tcp import connected, server, stream

AF_UNSPEC = {"sa_family": 0}


@pytest.fixture
def bench() -> Bench:
    """Return a model whose loopback asks for quick acknowledgements, as a lab image's does."""
    bench = Bench("ABU")
    bench.kernel.net.facts = replace(bench.kernel.net.facts, quickack=True)
    return bench


def watch(bench: Bench, actor: str, fd: int, events: int) -> int:
    epoll = bench.call(actor, "epoll_create1", 0)
    assert isinstance(epoll, int)
    assert bench.call(actor, "epoll_ctl", epoll, 1, fd, {"events": events | 1 << 31, "data": fd}) == 0
    bench.call(actor, "epoll_wait", epoll, 4, 0)
    assert bench.call(actor, "epoll_wait", epoll, 4, 0) == 0
    return epoll


def test_a_sent_datagram_tells_of_room_again(bench: Bench) -> None:
    """loopback_xmit(): skb_orphan() calls sock_wfree() and so sk_write_space."""
    fd = bench.call("A", "socket", AF_INET, SOCK_DGRAM, 0)
    assert isinstance(fd, int)
    epoll = watch(bench, "A", fd, 4)
    assert bench.call("A", "sendto", fd, b"x", dest_addr=inet(5000)) == 1
    assert bench.call("A", "epoll_wait", epoll, 4, 0) == 1


def test_setting_sndbuf_tells_of_room(bench: Bench) -> None:
    """sk_stream_write_space(), on either end of a connection."""
    for actor, fd in zip("AB", connected(bench), strict=True):
        epoll = watch(bench, actor, fd, 4)
        bench.call(actor, "setsockopt", fd, SOL_SOCKET, SO_SNDBUF, 5000)
        assert bench.call(actor, "epoll_wait", epoll, 4, 0) == 1


def test_what_is_unsent_of_a_closed_sock(bench: Bench) -> None:
    """tcp_disconnect() adds the largest window and 2 to write_seq, and leaves snd_una and snd_nxt."""
    fd = stream(bench, "A")
    for call, unacked, unsent in (("none", 0, 0), ("connect", 3, 2), ("disconnect", 5, 4)):
        if call == "connect":
            assert bench.call("A", "connect", fd, inet(4999)) == "ECONNREFUSED"
        elif call == "disconnect":
            assert bench.call("A", "connect", fd, AF_UNSPEC) == 0
        for request, expected in ((TIOCOUTQ, unacked), (SIOCOUTQNSD, unsent)):
            bench.call("A", "ioctl", fd, request)
            assert bench.out("A", "arg") == expected


def test_a_connection_that_was_leaves_anything(bench: Bench) -> None:
    _, client = connected(bench)
    bench.call("B", "connect", client, AF_UNSPEC)
    bench.call("B", "ioctl", client, TIOCOUTQ)
    assert isinstance(bench.out("B", "arg"), Between)


def test_an_error_does_not_outlive_the_next_connect(bench: Bench) -> None:
    """tcp_connect_init()."""
    _, client = connected(bench)
    bench.call("B", "connect", client, AF_UNSPEC)
    assert bench.sock("B", client).sk_err == 104
    assert bench.call("B", "connect", client, inet(5000)) == 0
    assert bench.sock("B", client).sk_err == 0


def test_everything_is_acknowledged_at_once(bench: Bench) -> None:
    """tcp_in_quickack_mode(): nothing is under way, and FIN_WAIT1 is over when shutdown() returns."""
    accepted, client = connected(bench)
    for _ in range(3):
        bench.call("B", "write", client, b"abc")
    tcp = bench.sock("B", client).tcp
    assert tcp is not None and (tcp.unacked, tcp.unsent, tcp.tcp_rtx_queue) == (0, 0, b"")
    bench.call("B", "shutdown", client, SHUT_WR)
    assert bench.sock("B", client).sk_state == "TCP_FIN_WAIT2"
    assert bench.sock("A", accepted).sk_state == "TCP_CLOSE_WAIT"


def test_bytes_that_wait_for_more(bench: Bench) -> None:
    """MSG_MORE and TCP_CORK hold a small segment back; TCP_NODELAY pushes it, once."""
    accepted, client = connected(bench)
    bench.call("B", "sendto", client, b"ab", flags=MSG_MORE)
    assert bench.call("A", "recvfrom", accepted, len=9, flags=MSG_DONTWAIT) == "EAGAIN"
    bench.call("B", "sendto", client, b"c")
    assert bench.call("A", "recvfrom", accepted, len=9, flags=MSG_DONTWAIT) == 3
    bench.call("B", "setsockopt", client, SOL_TCP, TCP_CORK, 1)
    bench.call("B", "write", client, b"de")
    assert bench.call("A", "recvfrom", accepted, len=9, flags=MSG_DONTWAIT) == "EAGAIN"
    bench.call("B", "setsockopt", client, SOL_TCP, TCP_NODELAY, 1)
    assert bench.call("A", "recvfrom", accepted, len=9, flags=MSG_DONTWAIT) == 2
    tcp = bench.sock("B", client).tcp
    assert tcp is not None and tcp.nonagle == 7
    bench.call("B", "write", client, b"f")
    tcp = bench.sock("B", client).tcp
    assert tcp is not None and tcp.nonagle == 3


def test_what_was_held_back_follows_the_peers_fin_and_kills(bench: Bench) -> None:
    """tcp_data_snd_check() after tcp_fin(): the closed end answers bytes with a reset."""
    accepted, client = connected(bench)
    bench.call("B", "sendto", client, b"ab", flags=MSG_MORE)
    bench.call("A", "close", accepted)
    sock = bench.sock("B", client)
    assert (sock.sk_state, sock.sk_err) == ("TCP_CLOSE", 32)


def test_a_fin_is_as_good_as_data(bench: Bench) -> None:
    """tcp_data_queue() calls tcp_data_ready(): SIGIO tells of the state, then of input."""
    accepted, client = connected(bench)
    bench.call("B", "fcntl", client, 8, "B")
    bench.call("B", "fcntl", client, 10, 34)
    bench.call("B", "fcntl", client, 4, 0o20000)
    bench.call("A", "close", accepted)
    assert [signal for _, signal in bench.signals] == ["SIGRTMIN", "SIGRTMIN"]


def test_a_dropped_syn_waits_for_a_timer(bench: Bench) -> None:
    """LINUX_MIB_LISTENOVERFLOWS; nobody saw the connection, so it does not come about."""
    server(bench, backlog=0)
    first, second = stream(bench, "B"), stream(bench, "U")
    assert bench.call("B", "connect", first, inet(5000)) == 0
    assert bench.call("U", "connect", second, inet(5000)) == "blocked"
    tcp = bench.sock("U", second).tcp
    assert tcp is not None and tcp.unacked == 1


def test_a_dead_listeners_pid_stays(bench: Bench) -> None:
    """pid_vnr(): who refers to a struct pid keeps its number."""
    bench.kernel.tasks["A"].pid = 77
    fd, _ = bench.pair()
    bench.call("A", "fork", "C", 0)
    bench.call("A", "exit", 0)
    assert bench.call("C", "getsockopt", fd, SOL_SOCKET, SO_PEERCRED) == 0
    assert bench.out("C", "optval")["pid"] == "A"
