"""Scenarios of TCP and UDP: connections of all kinds, refused and half-made ones, ports that are taken, datagrams."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.fuzz.chance import Chance
from ktrace.fuzz.families.net.actions import (
    Actions,
    Address,
    Connected,
    Made,
    SocketEnd,
    actor,
    connect_fresh,
    do,
    holds,
    make_room,
    new_socket,
    receive,
    send,
    sleepy,
)
from ktrace.fuzz.families.net.scenarios import poll_of
from ktrace.fuzz.model_view import Action, ModelView
from ktrace.uapi.socket import MSG_DONTWAIT, SOCK_DGRAM, SOCK_STREAM, SOL_SOCKET

Domain = Callable[[Chance], int]
"""Choose between AF_INET and AF_INET6."""


def address(domain: int, port: int, host: str = "127.0.0.1") -> Address:
    """Return an address of the loopback."""
    if domain == C["AF_INET"]:
        return {"sa_family": domain, "sin_port": port, "sin_addr": host}
    host6 = {"127.0.0.1": "::1", "0.0.0.0": "::"}.get(host, f"::ffff:{host}")
    return {"sa_family": domain, "sin6_port": port, "sin6_flowinfo": 0, "sin6_addr": host6, "sin6_scope_id": 0}


def fresh_port(state: ModelView) -> int:
    """Return a port that nobody bound."""
    return 6000 + state.number % 3000


def stream(domain: Domain) -> Callable[[ModelView, Chance], Connected]:
    """Return what connects two TCP sockets."""

    def connected(state: ModelView, choose: Chance) -> Connected:
        family = domain(choose)
        given = [choose.one(_BEFORE)] if choose.chance(0.3) else []
        where = address(family, fresh_port(state))
        return (yield from connect_fresh(state, choose, family, SOCK_STREAM, where, iter(given)))

    return connected


_BEFORE: Sequence[tuple[int, int, Any]] = (
    (SOL_SOCKET, C["SO_KEEPALIVE"], 1),
    (SOL_SOCKET, C["SO_LINGER"], {"l_onoff": 1, "l_linger": 5}),
    (SOL_SOCKET, C["SO_RCVLOWAT"], 10),
    (SOL_SOCKET, C["SO_OOBINLINE"], 1),
    (SOL_SOCKET, C["SO_REUSEADDR"], 1),
    (SOL_SOCKET, C["SO_PRIORITY"], 3),
    (C["SOL_TCP"], C["TCP_NODELAY"], 1),
    (C["SOL_TCP"], C["TCP_KEEPCNT"], 4),
    (C["SOL_IP"], C["IP_TTL"], 33),
    (C["SOL_IP"], C["IP_TOS"], 0x1F),
)


def some_socket(domain: Domain) -> Callable[[ModelView, Chance], Made]:
    """Return what makes a socket in some state that needs nobody else: fresh, bound, listening, shut down."""

    def make(state: ModelView, choose: Chance) -> Made:
        task = actor(state, choose)
        yield from make_room(task, choose)
        family, kind = domain(choose), choose.one((SOCK_STREAM, SOCK_STREAM, SOCK_DGRAM))
        end = yield from new_socket(state, choose, task, family, kind | choose.flags(0.3, C["SOCK_NONBLOCK"]))
        if end is None:
            return None
        stage = choose.integer(0, 3)
        if stage > 0 and holds(end, state):
            yield do(end, "bind", address(family, fresh_port(state)))
        if stage > 1 and holds(end, state):
            yield do(end, "listen", 1)
        if stage > 2 and holds(end, state):
            yield do(end, "shutdown", choose.integer(0, 2))
        return end

    return make


def alone(domain: Domain) -> Callable[[ModelView, Chance], Iterator[Action]]:
    """Return the scenario in which one socket connects to nobody, to itself, twice, and to nowhere again"""

    def scenario(state: ModelView, choose: Chance) -> Iterator[Action]:
        task = actor(state, choose)
        yield from make_room(task, choose)
        family, kind = domain(choose), choose.one((SOCK_STREAM, SOCK_STREAM, SOCK_DGRAM))
        end = yield from new_socket(state, choose, task, family, kind | choose.flags(0.4, C["SOCK_NONBLOCK"]))
        if end is None:
            return
        port = fresh_port(state)
        if choose.chance(0.5):
            yield do(end, "bind", address(family, port, choose.one(("127.0.0.1", "127.0.0.1", "0.0.0.0"))))
        targets = [
            address(family, port),
            address(family, 1 + state.number % 5000),
            address(family, port, "10.0.0.1"),
            address(family, 0),
            {"sa_family": 0},
            {"sa_family": 1, "sa_data": bytes(14)},
        ]
        for _ in range(choose.integer(3, 9)):
            if not holds(end, state):
                return
            match choose.integer(0, 9):
                case 0 | 1 | 2 | 3:
                    yield do(end, "connect", choose.one(targets))
                case 4 | 5:
                    yield send(state, choose, end, choose.one((1, 50)), MSG_DONTWAIT | choose.flags(0.2, C["MSG_OOB"]))
                case 6:
                    yield receive(state, choose, end, choose.one((1, 100)))
                case 7:
                    yield do(end, choose.one(("getsockname", "getpeername")))
                case 8:
                    what = choose.integer(0, 2)
                    yield do(end, "bind", _odd_name(choose, family, port)) if what else do(end, "shutdown", 1)
                case _:
                    what = choose.integer(0, 3)
                    if what == 0:
                        yield do(end, "getsockopt", SOL_SOCKET, C["SO_ERROR"])
                    elif what == 1:
                        yield do(end, "listen", 1)
                    elif what == 2:
                        yield do(end, "ioctl", C[choose.one(("FIONREAD", "TIOCOUTQ", "SIOCATMARK"))])
                    else:
                        yield task.name, poll_of(state, choose, end)

    return scenario


def _odd_name(choose: Chance, family: int, port: int) -> Address:
    """Return an address to bind to, AF_UNSPEC now and then, which means AF_INET if all the rest is 0."""
    if choose.chance(0.4):
        host = choose.one((bytes(4), b"\x7f\0\0\1"))
        return {"sa_family": 0, "sa_data": port.to_bytes(2, "big") + host + bytes(8)}
    return address(family, choose.one((port, 0)), choose.one(("127.0.0.1", "0.0.0.0")))


def ports(domain: Domain) -> Callable[[ModelView, Chance], Iterator[Action]]:
    """Return the scenario in which several sockets want one port: addresses, SO_REUSEADDR, SO_REUSEPORT, users."""

    def scenario(state: ModelView, choose: Chance) -> Iterator[Action]:
        port = choose.one((fresh_port(state), 5000, 80))
        kind = choose.one((SOCK_STREAM, SOCK_STREAM, SOCK_DGRAM))
        ends: list[SocketEnd] = []
        for _ in range(choose.integer(2, 4)):
            if not state.free():
                return
            task = actor(state, choose)
            yield from make_room(task, choose)
            family = domain(choose)
            end = yield from new_socket(state, choose, task, family, kind)
            if end is None:
                return
            ends.append(end)
            for name in ("SO_REUSEADDR", "SO_REUSEPORT"):
                if choose.chance(0.5) and holds(end, state):
                    yield do(end, "setsockopt", SOL_SOCKET, C[name], choose.one((1, 1, 1, 0, 2)))
            if choose.chance(0.1) and holds(end, state):
                yield do(end, "setsockopt", C["SOL_IP"], C["IP_FREEBIND"], 1)
            host = choose.one(("127.0.0.1", "127.0.0.1", "0.0.0.0", "127.0.0.2", "10.0.0.1", "255.255.255.255"))
            if holds(end, state):
                odd = choose.chance(0.15)
                yield do(end, "bind", _odd_name(choose, family, port) if odd else address(family, port, host))
            if choose.chance(0.5) and holds(end, state):
                yield do(end, "getsockname")
            if choose.chance(0.5) and holds(end, state) and kind == SOCK_STREAM:
                yield do(end, "listen", choose.one((0, 2)))
        for _ in range(choose.integer(0, 4)):
            end = choose.one(ends)
            if not holds(end, state):
                continue
            match choose.integer(0, 4):
                case 0:
                    yield do(end, "bind", address(C["AF_INET"], port))
                case 1:
                    yield do(end, "close")
                case 2:
                    client = yield from new_socket(state, choose, end.task, C["AF_INET"], kind | C["SOCK_NONBLOCK"])
                    if client is not None and holds(client, state):
                        yield do(client, "connect", address(C["AF_INET"], port, choose.one(("127.0.0.1", "127.0.0.2"))))
                        if holds(client, state):
                            yield send(state, choose, client, 7)
                case 3:
                    yield do(end, "setsockopt", SOL_SOCKET, C["SO_REUSEADDR"], choose.integer(0, 1))
                case _:
                    yield do(end, "getsockname")

    return scenario


def datagrams(domain: Domain) -> Callable[[ModelView, Chance], Iterator[Action]]:
    """Return the scenario in which UDP sockets send to each other: connected or not, corked, refused, until full."""

    def scenario(state: ModelView, choose: Chance) -> Iterator[Action]:
        family = domain(choose)
        ends: list[tuple[SocketEnd, int]] = []
        for number in range(choose.integer(2, 3)):
            if not state.free():
                return
            task = actor(state, choose)
            yield from make_room(task, choose)
            end = yield from new_socket(state, choose, task, family, SOCK_DGRAM)
            if end is None:
                return
            port = 9000 + (state.number * 4 + number) % 3000
            if choose.chance(0.85):
                host = choose.one(("127.0.0.1", "127.0.0.1", "0.0.0.0"))
                yield do(end, "bind", address(family, port, host))
            ends.append((end, port))
        if choose.chance(0.3):
            end = choose.one(ends)[0]
            if holds(end, state):
                yield do(end, "setsockopt", SOL_SOCKET, C["SO_RCVBUF"], choose.one((0, 2000, 5000)))
        for _ in range(choose.integer(6, 16)):
            yield from _datagram(state, choose, family, ends)

    return scenario


_SIZES = (0, 1, 10, 100, 1400, 3000)
_SMALL_OPTIONS: Sequence[tuple[int, int, Sequence[Any]]] = (
    (SOL_SOCKET, C["SO_PEEK_OFF"], (0, 0, 5, -1)),
    (SOL_SOCKET, C["SO_BROADCAST"], (0, 1)),
    (C["SOL_UDP"], C["UDP_CORK"], (1, 1, 0)),
    (SOL_SOCKET, C["SO_RCVBUF"], (0, 3000, 100000)),
    (SOL_SOCKET, C["SO_SNDBUF"], (0, 3000, 100000)),
)


def _datagram(state: ModelView, choose: Chance, family: int, ends: list[tuple[SocketEnd, int]]) -> Actions:
    end, _ = choose.one(ends)
    target = choose.one(ends)[1]
    if not holds(end, state):
        return
    host = choose.one(("127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.2", "127.255.255.255", "0.0.0.0"))
    nowhere = choose.chance(0.15)
    where = address(family, 4999 if nowhere else target, host if family == C["AF_INET"] else "127.0.0.1")
    match choose.integer(0, 15):
        case 0 | 1 | 2 | 3:
            data = bytes([65 + state.number % 26]) * choose.one(_SIZES)
            flags = MSG_DONTWAIT | choose.flags(0.12, C["MSG_MORE"])
            yield do(end, "sendto", data, flags=flags, dest_addr=where)
        case 4 | 5 | 6:
            yield send(state, choose, end, choose.one(_SIZES), MSG_DONTWAIT | choose.flags(0.08, C["MSG_OOB"]))
        case 7 | 8 | 9 | 10:
            flags = sleepy(state, choose, 0.25) | choose.flags(0.25, C["MSG_PEEK"]) | choose.flags(0.15, C["MSG_TRUNC"])
            yield receive(state, choose, end, choose.one((0, 1, 10, 50, 5000)), flags)
        case 11 | 12:
            yield do(end, "connect", where if choose.chance(0.85) else {"sa_family": 0})
        case 13:
            level, name, values = choose.one(_SMALL_OPTIONS)
            yield do(end, "setsockopt", level, name, choose.one(values))
        case 14:
            what = choose.integer(0, 4)
            if what < 2:
                yield do(end, "ioctl", C[choose.one(("FIONREAD", "TIOCOUTQ"))])
            elif what == 2:
                yield do(end, "getsockopt", SOL_SOCKET, C["SO_ERROR"])
            else:
                yield do(end, choose.one(("getsockname", "getpeername")))
        case _:
            if choose.chance(0.5):
                yield end.task.name, poll_of(state, choose, end)
            elif choose.chance(0.5):
                yield do(end, "shutdown", choose.integer(0, 2))
            else:
                yield do(end, "close")


def large(domain: Domain) -> Callable[[ModelView, Chance], Iterator[Action]]:
    """Return the scenario in which one end sends more than the other has room for, waits, and is let go on."""

    def scenario(state: ModelView, choose: Chance) -> Iterator[Action]:
        made = yield from stream(domain)(state, choose)
        if made is None:
            return
        one, other = made.client, made.server
        if choose.chance(0.5) and holds(one, state):
            yield do(one, "setsockopt", SOL_SOCKET, C["SO_SNDBUF"], choose.one((0, 5000, 20000)))
        if choose.chance(0.4) and holds(other, state):
            yield do(other, "setsockopt", SOL_SOCKET, C["SO_RCVBUF"], choose.one((0, 3000, 20000)))
        size = choose.one((5000, 30000, 60000))
        for _ in range(choose.integer(2, 8)):
            if holds(one, state):
                yield send(state, choose, one, size)
        if holds(one, state) and choose.chance(0.4):
            yield send(state, choose, one, size, sleepy(state, choose, 1.0))
        for _ in range(choose.integer(1, 8)):
            if holds(other, state):
                yield receive(state, choose, other, choose.one((100, 5000, 60000, 200000)))
        if holds(other, state) and choose.chance(0.6):
            yield do(other, "close")
        if holds(one, state):
            yield receive(state, choose, one, 10)

    return scenario
