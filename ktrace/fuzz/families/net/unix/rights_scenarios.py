"""Scenarios of what travels in messages between AF_UNIX sockets: descriptors, credentials, and garbage of both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.agent.syscalls import make_call
from ktrace.fuzz.chance import Chance, pattern
from ktrace.fuzz.families.net.actions import (
    Connected,
    Connection,
    SocketEnd,
    accepted,
    actor,
    connect_fresh,
    do,
    hand_over,
    holds,
    make_room,
    new_pair,
    new_socket,
    receive,
    send,
)
from ktrace.fuzz.families.net.unix.dgram_scenarios import named
from ktrace.fuzz.model_view import Action, ModelView, open_fds
from ktrace.model.task import Task
from ktrace.uapi.socket import MSG_DONTWAIT, SOL_SOCKET

KINDS = (C["SOCK_STREAM"], C["SOCK_STREAM"], C["SOCK_DGRAM"], C["SOCK_SEQPACKET"])
ROOMS = (0, 8, 16, 20, 24, 28, 64, 200)


def pair(state: ModelView, choose: Chance) -> Connected:
    """Make a pair."""
    task = actor(state, choose)
    yield from make_room(task, choose)
    return (yield from new_pair(state, choose, task, choose.one(KINDS) | choose.flags(0.1, C["SOCK_NONBLOCK"])))


def by_name(state: ModelView, choose: Chance) -> Connected:
    """Connect to a listener, its options set before."""
    given = [(SOL_SOCKET, C["SO_PASSCRED"], 1)] if choose.chance(0.3) else []
    kind = choose.one((C["SOCK_STREAM"], C["SOCK_SEQPACKET"]))
    return (yield from connect_fresh(state, choose, C["AF_UNIX"], kind, named(state, "l"), iter(given)))


def stream(state: ModelView, choose: Chance) -> Connected:
    """Make a pair, or connect by name."""
    return (yield from (pair if choose.chance(0.6) else by_name)(state, choose))


def rights(fds: Sequence[int], data: bytes) -> dict[str, Any]:
    """Return a message that carries descriptors."""
    control = {"cmsg_level": SOL_SOCKET, "cmsg_type": C["SCM_RIGHTS"], "cmsg_data": tuple(fds)}
    return {"msg_iov": (data,), "msg_control": (control,)}


def _some_fds(choose: Chance, task: Task, most: int) -> list[int]:
    fds = [fd for fd, _ in open_fds(task)]
    return [choose.one(fds) for _ in range(choose.integer(1, most))] if fds else []


def passing(state: ModelView, choose: Chance) -> Iterator[Action]:
    """Send descriptors and bytes in turn, close what was sent, receive with rooms of many sizes."""
    made = yield from stream(state, choose)
    if made is None:
        return
    one, other = made.client, made.server
    if choose.chance(0.4) and holds(other, state):
        other = (yield from hand_over(state, choose, other)) or other
    if choose.chance(0.3) and holds(other, state):
        yield do(other, "setsockopt", SOL_SOCKET, C["SO_PASSCRED"], 1)
    if choose.chance(0.15) and holds(other, state):
        used = len(other.task.files.slots)
        limit = {"rlim_cur": used + choose.integer(0, 1), "rlim_max": 4096}
        yield other.task.name, make_call("setrlimit", C["RLIMIT_NOFILE"], limit)
    for _ in range(choose.integer(1, 4)):
        if not holds(one, state):
            return
        fds = _some_fds(choose, one.task, choose.one((1, 1, 3)))
        if choose.chance(0.65) and fds:
            data = pattern(state.number, choose.one((0, 1, 5, 20)))
            yield do(one, "sendmsg", rights(fds, data), MSG_DONTWAIT)
            if choose.chance(0.35) and one.task.running is None and fds[0] not in (one.fd, other.fd):
                yield one.task.name, make_call("close", fds[0])
        else:
            yield send(state, choose, one, choose.one((1, 5, 100)))
    for _ in range(choose.integer(2, 6)):
        if not holds(other, state):
            return
        flags = MSG_DONTWAIT | choose.flags(0.25, C["MSG_PEEK"]) | choose.flags(0.25, C["MSG_CMSG_CLOEXEC"])
        if choose.chance(0.75):
            room = {
                "msg_iov": (choose.one((1, 5, 100, 100)),),
                "msg_namelen": choose.one((0, 110)),
                "msg_controllen": choose.one(ROOMS),
            }
            yield do(other, "recvmsg", room, flags)
        else:
            yield receive(state, choose, other, choose.one((1, 5, 100)), flags)
    if choose.chance(0.4):
        end = choose.one((one, other))
        if holds(end, state):
            yield do(end, "close")


def introduced(state: ModelView, choose: Chance) -> Iterator[Action]:
    """Send with credentials, given, true or forged, to who asks for them and who does not."""
    made = yield from stream(state, choose)
    if made is None:
        return
    one, other = made.client, made.server
    for end in (one, other):
        if choose.chance(0.4) and holds(end, state):
            yield do(end, "setsockopt", SOL_SOCKET, C["SO_PASSCRED"], choose.one((1, 1, 0)))
    for _ in range(choose.integer(2, 5)):
        if not holds(one, state):
            return
        if choose.chance(0.25):
            uid = choose.one((0, 1000, 1001))
            yield one.task.name, make_call("setresuid", -1, uid, -1)
        whom = choose.one(state.tasks()) if choose.chance(0.25) else one.task
        uids = (one.task.cred.uid, one.task.cred.euid, 0, 1000)
        given = {"pid": whom.name, "uid": choose.one(uids), "gid": choose.one((one.task.cred.gid, 50, 0))}
        control = {"cmsg_level": SOL_SOCKET, "cmsg_type": C["SCM_CREDENTIALS"], "cmsg_data": given}
        message: dict[str, Any] = {"msg_iov": (pattern(state.number, choose.one((1, 5, 30))),)}
        if choose.chance(0.6):
            message["msg_control"] = (control,)
        if holds(one, state):
            yield do(one, "sendmsg", message, MSG_DONTWAIT)
    for _ in range(choose.integer(1, 4)):
        if holds(other, state):
            room = {"msg_iov": (choose.one((3, 100)),), "msg_controllen": choose.one((0, 16, 20, 24, 27, 28, 64))}
            yield do(other, "recvmsg", room, MSG_DONTWAIT | choose.flags(0.2, C["MSG_PEEK"]))


def garbage(state: ModelView, choose: Chance) -> Iterator[Action]:
    """Send sockets over each other or themselves and close them all: only the collector can free them."""
    task = actor(state, choose)
    yield from make_room(task, choose)
    pairs: list[Connection] = []
    for _ in range(choose.one((1, 1, 2, 3))):
        made = yield from new_pair(state, choose, task, choose.one(KINDS))
        if made is None:
            return
        pairs.append(made)
    ends = [end for made in pairs for end in (made.client, made.server)]
    waiting = (yield from _unaccepted(state, choose, task)) if choose.chance(0.35) else None
    if waiting is not None:
        ends += [waiting.client, waiting.server]
    for _ in range(choose.integer(1, 2 * len(pairs) + 1)):
        carrier, passenger = choose.one(ends), choose.one(ends)
        if holds(carrier, state) and holds(passenger, state):
            yield do(carrier, "sendmsg", rights([passenger.fd], b"g"), MSG_DONTWAIT)
    keep = choose.one((0, 0, 0, 1))
    victims = choose.some(ends, len(ends) - keep, len(ends) - keep)
    for end in victims:
        if holds(end, state):
            yield do(end, "close")
    if choose.chance(0.6):
        # Whoever closes the next AF_UNIX socket starts the collector.
        made = yield from new_pair(state, choose, actor(state, choose), C["SOCK_STREAM"])
        if made is not None and holds(made.client, state):
            yield do(made.client, "close")


def _unaccepted(state: ModelView, choose: Chance, task: Task) -> Connected:
    """Connect to a listener that does not accept: what is sent then waits at an embryo."""
    listener = yield from new_socket(state, choose, task, C["AF_UNIX"], C["SOCK_STREAM"])
    if listener is None:
        return None
    address = named(state, "g")
    yield do(listener, "bind", address)
    yield do(listener, "listen", 3)
    client = yield from new_socket(state, choose, task, C["AF_UNIX"], C["SOCK_STREAM"])
    if client is None or not holds(client, state):
        return None
    yield do(client, "connect", address)
    if choose.chance(0.3) and holds(listener, state):
        yield do(client, "sendmsg", rights([listener.fd], b"l"), MSG_DONTWAIT)
        end = yield from accepted(listener, 0)
        if end is not None:
            return Connection(client, end, listener)
    return Connection(client, listener)


def names(state: ModelView, choose: Chance) -> Iterator[Action]:
    """Bind to names of all kinds, twice, taken ones, removed ones; ask for them."""
    ends: list[SocketEnd] = []
    for _ in range(choose.integer(1, 3)):
        task = actor(state, choose)
        yield from make_room(task, choose)
        end = yield from new_socket(state, choose, task, C["AF_UNIX"], choose.one(KINDS))
        if end is None:
            return
        ends.append(end)
    path = choose.one((b"/tmp/s1", b"/tmp/s2", b"/tmp/n%d" % state.number))
    pool = (path, path, b"", b"\0n%d" % state.number, b"\0n", b"/tmp/" + b"x" * choose.one((90, 102, 103)))
    for _ in range(choose.integer(3, 9)):
        end = choose.one(ends)
        if not holds(end, state):
            continue
        address = {"sa_family": C["AF_UNIX"], "sun_path": choose.one(pool)}
        match choose.integer(0, 9):
            case 0 | 1 | 2:
                yield do(end, "bind", address)
            case 3 | 4:
                yield do(end, "connect", address)
            case 5:
                yield do(end, "listen", 1)
            case 6 | 7:
                yield do(end, choose.one(("getsockname", "getpeername")), choose.one((128, 128, 5, 2, 0)))
            case 8:
                yield end.task.name, make_call("unlink", path)
            case _:
                yield do(end, "sendto", b"n", flags=MSG_DONTWAIT, dest_addr=address)
