"""Room in a send buffer, and TIME_WAIT, where no guest is needed to know them."""

from __future__ import annotations

from ktrace.model.net.inet.tcp.sock import Tcp
from ktrace.model.net.inet.tcp.space import sure
from ktrace.uapi.eventpoll import EPOLLOUT
from ktrace.uapi.socket import AF_INET, MSG_DONTWAIT, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, SOL_TCP
from ktrace.uapi.tcp import TCP_CORK, TCP_NOTSENT_LOWAT
from tests.unit.model.bench import Bench, inet
from tests.unit.model.net.inet.tcp.test_tcp import connected, server, stream


def sock(bench: Bench, actor: str, fd: int) -> Tcp:
    sk = bench.kernel.tasks[actor].files.get(fd).private.sk
    assert isinstance(sk, Tcp)
    return sk


def writeable(bench: Bench, actor: str, fd: int) -> bool:
    bench.call(actor, "poll", [{"fd": fd, "events": EPOLLOUT}], 0)
    assert bench.outcome.events
    return bool(bench.call(actor, "poll", [{"fd": fd, "events": EPOLLOUT}], 0))


def test_bytes_that_are_not_sent_leave_no_room() -> None:
    """tcp_stream_memory_free(): twice what waits must be less than TCP_NOTSENT_LOWAT."""
    bench = Bench("ABU")
    _, client = connected(bench)
    sk = sock(bench, "B", client)
    sk.quickack = True
    assert sure(bench.kernel, sk) is True
    bench.call("B", "setsockopt", client, SOL_TCP, TCP_CORK, 1)
    assert bench.call("B", "send", client, b"x" * 100, MSG_DONTWAIT) == 100
    assert len(sk.out) == 100
    bench.call("B", "setsockopt", client, SOL_TCP, TCP_NOTSENT_LOWAT, 201)
    assert sure(bench.kernel, sk) is None and writeable(bench, "B", client)
    bench.call("B", "setsockopt", client, SOL_TCP, TCP_NOTSENT_LOWAT, 200)
    assert sure(bench.kernel, sk) is False and not writeable(bench, "B", client)
    assert sk.socket is not None and "SOCK_NOSPACE" in sk.socket.flags
    bench.call("B", "setsockopt", client, SOL_TCP, TCP_NOTSENT_LOWAT, 1000)
    assert "SOCK_NOSPACE" not in sk.socket.flags


def test_a_buffer_is_never_smaller_than_its_bytes() -> None:
    """__sk_stream_is_writeable(): a third of the buffer must be free."""
    bench = Bench("ABU")
    _, client = connected(bench)
    sk = sock(bench, "B", client)
    sk.userlocks.add("SOCK_SNDBUF_LOCK")
    sk.sndbuf = 300
    sk.out += b"x" * 200
    assert sure(bench.kernel, sk) is None
    sk.out += b"x" * 2
    assert sure(bench.kernel, sk) is False


def test_a_bound_port_replaces_what_waits() -> None:
    """tcp_twsk_unique(): nothing else will do; without a bind() another port is taken."""
    bench = Bench("ABU")
    server(bench)
    for _ in range(2):
        client = bench.call("B", "socket", AF_INET, SOCK_STREAM, 0)
        bench.call("B", "setsockopt", client, SOL_SOCKET, SO_REUSEADDR, 1)
        assert bench.call("B", "bind", client, inet(7000)) == 0
        assert bench.call("B", "connect", client, inet(5000)) == 0
        accepted = bench.call("A", "accept", 0)
        sock(bench, "B", client).quickack = sock(bench, "A", accepted).quickack = True
        bench.call("B", "close", client)
        bench.call("A", "close", accepted)
        assert len(bench.kernel.net.inet.bhash.buckets[7000].deathrow) == 1
    assert stream(bench, "B") >= 0
