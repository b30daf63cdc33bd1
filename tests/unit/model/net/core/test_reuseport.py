"""Sockets that share an address by SO_REUSEPORT: ``net/core/sock_reuseport.c``, ``net/ipv4/udp.c``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ktrace.model.observed import Evidence
from ktrace.state.net.socket import Socket
from ktrace.state.ref import Ref
from ktrace.state.world import World
from ktrace.uapi.socket import AF_INET, AF_INET6, SO_REUSEPORT, SOCK_DGRAM, SOCK_STREAM, SOL_SOCKET
from tests.unit.model.bench import Bench, inet, inet6


def member(bench: Bench, family: int = AF_INET, type_: int = SOCK_DGRAM, actor: str = "A") -> int:
    """Make a socket of the group at port 5000; a listener where it is of type SOCK_STREAM."""
    fd = bench.call(actor, "socket", family, type_, 0)
    assert isinstance(fd, int)
    assert bench.call(actor, "setsockopt", fd, SOL_SOCKET, SO_REUSEPORT, 1) == 0
    assert bench.call(actor, "bind", fd, inet(5000) if family == AF_INET else inet6(5000)) == 0
    if type_ == SOCK_STREAM:
        assert bench.call(actor, "listen", fd, 1) == 0
    bench.kernel.tasks[actor].files.get(fd).private.inode.numbers["st_ino"] = 100 + fd
    return fd


def queued(bench: Bench, *fds: int) -> list[int]:
    """Return how many packets wait at each."""
    return [len(bench.sock("A", fd).sk_receive_queue) for fd in fds]


def saw_at(bench: Bench, fd: int, **parts: Any) -> Evidence:
    """Return the evidence that a member was seen with other parts than it has now."""
    objects: dict[Ref, Any] = dict(bench.kernel.world().objects)
    sk = bench.kernel.tasks["A"].files.get(fd).private.sk
    for ref, value in objects.items():
        if isinstance(value, Socket) and value.sk == sk.ref:
            assert value.i_ino == 100 + fd
            objects[ref] = replace(value, sk=Ref("sock", 999))
    objects[Ref("sock", 999)] = replace(bench.sock("A", fd), **parts)
    return Evidence(world=World(objects=objects))


@pytest.mark.parametrize("family", [AF_INET, AF_INET6])
def test_a_flow_stays_with_whom_it_was_seen(family: int) -> None:
    """reuseport_select_sock_by_hash()."""
    bench = Bench("ABU")
    first, second = member(bench, family), member(bench, family)
    to = inet(5000) if family == AF_INET else inet6(5000)
    sender = bench.call("B", "socket", family, SOCK_DGRAM, 0)
    assert bench.call("B", "sendto", sender, b"1", 0, to) == 1
    assert queued(bench, first, second) == [1, 0]
    packet = bench.sock("A", first).sk_receive_queue[0]
    right = saw_at(bench, second, sk_receive_queue=(packet,))
    assert bench.call("B", "sendto", sender, b"2", 0, to, evidence=right) == 1
    assert queued(bench, first, second) == [1, 1]
    # Once seen, another answer for the same flow is a divergence.
    wrong = saw_at(bench, first, sk_receive_queue=(packet, packet))
    assert bench.call("B", "sendto", sender, b"3", 0, to, evidence=wrong) == 1
    assert queued(bench, first, second) == [1, 2]


def test_the_connected_take_from_their_peer_only() -> None:
    """reuseport_has_conns_set(): scores count again."""
    bench = Bench("ABU")
    first, second = member(bench), member(bench)
    sender, other = (bench.call("B", "socket", AF_INET, SOCK_DGRAM, 0) for _ in range(2))
    assert bench.call("B", "bind", sender, inet(6000)) == 0
    assert bench.call("A", "connect", first, inet(6000)) == 0
    assert bench.call("B", "sendto", sender, b"1", 0, inet(5000)) == 1
    assert bench.call("B", "sendto", other, b"2", 0, inet(5000)) == 1
    assert queued(bench, first, second) == [1, 1]
    assert bench.call("A", "close", second) == 0
    assert bench.call("B", "sendto", other, b"3", 0, inet(5000)) == 1
    assert queued(bench, first) == [1]


def test_who_may_join() -> None:
    """udp_lib_lport_inuse(): the option at both, and one user."""
    bench = Bench("ABU")
    member(bench)
    for actor, option in (("A", 0), ("U", 1)):
        fd = bench.call(actor, "socket", AF_INET, SOCK_DGRAM, 0)
        assert bench.call(actor, "setsockopt", fd, SOL_SOCKET, SO_REUSEPORT, option) == 0
        assert bench.call(actor, "bind", fd, inet(5000)) == "EADDRINUSE"


def test_listeners_share_connections() -> None:
    """inet_lhash2_lookup(); a listener that stops leaves the group (reuseport_stop_listen_sock())."""
    bench = Bench("ABU")
    first, second = member(bench, type_=SOCK_STREAM), member(bench, type_=SOCK_STREAM)
    client = bench.call("B", "socket", AF_INET, SOCK_STREAM, 0)
    evidence = saw_at(bench, second, tcp=replace(bench.sock("A", second).tcp, accept_queue=(Ref("sock", 998),)))  # type: ignore[type-var]
    assert bench.call("B", "connect", client, inet(5000), evidence=evidence) == 0
    assert [bench.sock("A", fd).sk_ack_backlog for fd in (first, second)] == [0, 1]
    assert bench.call("A", "shutdown", second, 0) == 0
    late = bench.call("B", "socket", AF_INET, SOCK_STREAM, 0)
    assert bench.call("B", "connect", late, inet(5000)) == 0
    assert [bench.sock("A", fd).sk_ack_backlog for fd in (first, second)] == [1, 0]
