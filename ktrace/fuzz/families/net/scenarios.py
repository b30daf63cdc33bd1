"""Scenarios on connections of any family: how they are made, used, watched and ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.agent.syscalls import make_call
from ktrace.fuzz.chance import Chance
from ktrace.fuzz.families.fs.files import may_block
from ktrace.fuzz.families.net.actions import (
    Actions,
    Address,
    Connected,
    SocketEnd,
    accepted,
    actor,
    do,
    hand_over,
    holds,
    is_awake,
    make_room,
    new_socket,
    receive,
    send,
    sleepy,
)
from ktrace.fuzz.family import Scenario
from ktrace.fuzz.model_view import Action, ModelView
from ktrace.model.task import Task
from ktrace.uapi.signal import SIGNAL_NUMBERS
from ktrace.uapi.socket import MSG_DONTWAIT, SOL_SOCKET

Maker = Callable[[ModelView, Chance], Connected]
"""Bring about a connection of a family."""

Option = tuple[int, int, Any]
TALK_OPTIONS: Sequence[Option] = (
    (SOL_SOCKET, C["SO_RCVLOWAT"], 8),
    (SOL_SOCKET, C["SO_RCVLOWAT"], 100),
    (SOL_SOCKET, C["SO_RCVLOWAT"], 1),
    (SOL_SOCKET, C["SO_OOBINLINE"], 1),
    (SOL_SOCKET, C["SO_OOBINLINE"], 0),
    (SOL_SOCKET, C["SO_PASSCRED"], 1),
    (SOL_SOCKET, C["SO_LINGER"], {"l_onoff": 1, "l_linger": 0}),
    (SOL_SOCKET, C["SO_PEEK_OFF"], 0),
    (SOL_SOCKET, C["SO_PEEK_OFF"], 3),
)
ASKED = ("SO_ERROR", "SO_ERROR", "SO_TYPE", "SO_ACCEPTCONN", "SO_DOMAIN", "SO_PROTOCOL", "SO_PEERCRED", "SO_SNDBUF")


def talking(connected: Maker, sizes: Sequence[int], urgent: bool) -> Scenario:
    """Return the scenario in which both ends of a connection send and receive, sleep, and end it in some way.

    :param urgent: there are urgent bytes
    """

    def scenario(state: ModelView, choose: Chance) -> Iterator[Action]:
        made = yield from connected(state, choose)
        if made is None:
            return
        ends = [made.client, made.server]
        if choose.chance(0.3) and holds(ends[1], state):
            other = yield from hand_over(state, choose, ends[1])
            if other is not None and other.task is not ends[1].task and choose.chance(0.7) and holds(ends[1], state):
                yield do(ends[1], "close")
            ends[1] = other or ends[1]
        for _ in range(choose.one((0, 0, 1, 2))):
            end = choose.one(ends)
            if holds(end, state):
                yield do(end, "setsockopt", *choose.one(TALK_OPTIONS))
        for _ in range(choose.integer(2, 9)):
            if (action := _exchange(state, choose, choose.one(ends), sizes, urgent)) is not None:
                yield action
        yield from ending(state, choose, ends, sizes)

    return scenario


def _exchange(state: ModelView, choose: Chance, end: SocketEnd, sizes: Sequence[int], urgent: bool) -> Action | None:
    """Think of a call on one end of a connection."""
    if not holds(end, state):
        return None
    kind = choose.integer(0, 21)
    if kind < 8:
        flags = MSG_DONTWAIT | (choose.flags(0.25, C["MSG_OOB"]) if urgent else 0) | choose.flags(0.1, C["MSG_MORE"])
        return send(state, choose, end, choose.around(*sizes, low=0), flags)
    if kind < 16:
        flags = sleepy(state, choose, 0.5) | choose.flags(0.15, C["MSG_PEEK"]) | choose.flags(0.1, C["MSG_WAITALL"])
        flags |= choose.flags(0.06, C["MSG_TRUNC"]) | (choose.flags(0.2, C["MSG_OOB"]) if urgent else 0)
        return receive(state, choose, end, choose.around(*sizes, 5, 5000, low=0), flags)
    if kind == 16:
        return do(end, "ioctl", C[choose.one(("FIONREAD", "TIOCOUTQ", "SIOCATMARK"))])
    if kind == 17:
        return do(end, choose.one(("getsockname", "getpeername")))
    if kind == 18:
        return do(end, choose.one(("listen", "listen", "accept4")), choose.one((0, 3)))
    return end.task.name, poll_of(state, choose, end)


def poll_of(state: ModelView, choose: Chance, end: SocketEnd) -> Any:
    """Return a call that asks what *end* is ready for."""
    events = choose.one((C["POLLIN"], C["POLLOUT"], C["POLLIN"] | C["POLLOUT"] | C["POLLPRI"], C["POLLRDHUP"], 0))
    if choose.chance(0.3):
        return make_call("select", end.fd + 1, (end.fd,), (end.fd,), None, {"tv_sec": 0, "tv_usec": 0})
    return make_call("poll", ({"fd": end.fd, "events": events},), -1 if may_block(state, choose, 0.3) else 0)


def ending(state: ModelView, choose: Chance, ends: list[SocketEnd], sizes: Sequence[int]) -> Actions:
    """SocketEnd a connection from one side, and see what the other one gets."""
    first, second = ends if choose.chance(0.5) else ends[::-1]
    if holds(second, state) and choose.chance(0.4):
        flags = sleepy(state, choose, 0.6)
        if choose.chance(0.5):
            yield receive(state, choose, second, choose.one((1, 100)), flags)
        else:
            yield second.task.name, poll_of(state, choose, second)
    if not holds(first, state):
        return
    match choose.integer(0, 5):
        case 0 | 1:
            yield do(first, "shutdown", choose.one((0, 1, 1, 2)))
            if holds(first, state) and choose.chance(0.4):
                yield do(first, "shutdown", choose.integer(0, 2))
        case 2 | 3:
            if choose.chance(0.25):
                yield do(first, "setsockopt", SOL_SOCKET, C["SO_LINGER"], {"l_onoff": 1, "l_linger": 0})
            yield do(first, "close")
        case 4 if len(state.free()) > 3:
            yield None, make_call("kill", first.task.name, SIGNAL_NUMBERS["SIGKILL"])
        case _:
            yield first.task.name, make_call("close_range", first.fd, first.fd)
    for _ in range(choose.integer(1, 5)):
        end = second if choose.chance(0.7) else first
        if not holds(end, state):
            continue
        match choose.integer(0, 5):
            case 0 | 1:
                yield send(state, choose, end, choose.one(sizes), MSG_DONTWAIT | choose.flags(0.3, C["MSG_NOSIGNAL"]))
            case 2 | 3:
                yield receive(state, choose, end, choose.one((1, 100, 5000)))
            case 4:
                yield do(end, "getsockopt", SOL_SOCKET, C[choose.one(ASKED)])
            case _:
                yield end.task.name, poll_of(state, choose, end)
    if holds(second, state) and choose.chance(0.5):
        yield do(second, "close") if choose.chance(0.6) else do(second, "shutdown", choose.integer(0, 2))


def crowd(domain: int, kinds: Sequence[int], fresh: Callable[[ModelView, Chance], Address]) -> Scenario:
    """Return the scenario in which more connect to a listener than it has room for."""

    def scenario(state: ModelView, choose: Chance) -> Iterator[Action]:
        task = actor(state, choose)
        yield from make_room(task, choose)
        listener = yield from new_socket(state, choose, task, domain, choose.one(kinds) & 0xF)
        if listener is None:
            return
        kind = listener.task.files.slots[listener.fd].file.private.type
        address = fresh(state, choose)
        if choose.chance(0.3):
            yield do(listener, "setsockopt", *choose.one(TALK_OPTIONS))
        yield do(listener, "bind", address)
        backlog = choose.one((0, 0, 1, 1, 2, -1))
        yield do(listener, "listen", backlog)
        if choose.chance(0.3) and may_block(state, choose, 1.0):
            yield do(listener, "accept4", 0)
        clients: list[SocketEnd] = []
        for _ in range(choose.integer(1, 5)):
            if not state.free():
                return
            flags = _maybe_nonblock(state, choose)
            client = yield from new_socket(state, choose, actor(state, choose), domain, kind | flags)
            if client is None:
                return
            clients.append(client)
            if holds(client, state):
                yield do(client, "connect", address)
        for _ in range(choose.integer(1, 5)):
            yield from _at_listener(state, choose, listener, clients, address)

    return scenario


def _maybe_nonblock(state: ModelView, choose: Chance) -> int:
    return 0 if may_block(state, choose, 0.4) else C["SOCK_NONBLOCK"]


def _at_listener(
    state: ModelView, choose: Chance, listener: SocketEnd, clients: list[SocketEnd], address: Address
) -> Actions:
    """Do something to a listener, or to one that waits at it."""
    client = choose.one(clients)
    kind = choose.integer(0, 12)
    if kind < 5 and holds(listener, state):
        file = listener.task.files.slots[listener.fd].file
        sk = file.private.sk
        if sk is not None and (sk.receive_queue or sk.ack_backlog):
            end = yield from accepted(listener, choose.flags(0.2, C["SOCK_NONBLOCK"]))
            if end is not None and holds(end, state) and choose.chance(0.5):
                yield do(end, choose.one(("getpeername", "getsockname")))
            if end is not None and holds(end, state) and choose.chance(0.4):
                yield send(state, choose, end, choose.one((1, 5)))
        elif not file.f_flags & C["O_NONBLOCK"]:
            yield listener.task.name, poll_of(state, choose, listener)
        else:
            yield do(listener, "accept4", 0)
    elif kind in (5, 12) and holds(listener, state):
        yield do(listener, "listen", choose.one((0, 1, 3, 5, -1)))
    elif kind == 6 and holds(listener, state):
        yield do(listener, "shutdown", choose.integer(0, 2))
    elif kind == 7 and holds(listener, state):
        yield do(listener, "close")
    elif kind == 8 and holds(client, state):
        yield send(state, choose, client, choose.one((1, 5, 100)))
    elif kind == 9 and holds(client, state):
        yield do(client, choose.one(("close", "getpeername")))
    elif kind == 10 and holds(client, state):
        yield do(client, "connect", address) if choose.chance(0.6) else do(client, "shutdown", choose.integer(0, 2))
    elif is_awake(client.task, state):
        yield client.task.name, poll_of(state, choose, client)


def signalled(connected: Maker, sizes: Sequence[int]) -> Scenario:
    """Return the scenario in which SIGIO or SIGURG tell of what happens to one end (O_ASYNC, F_SETOWN, F_SETSIG)."""

    def scenario(state: ModelView, choose: Chance) -> Iterator[Action]:
        made = yield from connected(state, choose)
        if made is None:
            return
        watched, other = (made.client, made.server) if choose.chance(0.5) else (made.server, made.client)
        if not holds(watched, state):
            return
        yield do(watched, "fcntl", C["F_SETOWN"], choose.one(state.tasks()).name)
        if choose.chance(0.4) and holds(watched, state):
            yield do(watched, "fcntl", C["F_SETSIG"], choose.one((SIGNAL_NUMBERS["SIGUSR1"], 34)))
        if holds(watched, state):
            yield do(watched, "fcntl", C["F_SETFL"], C["FASYNC"] | choose.flags(0.6, C["O_NONBLOCK"]))
        if choose.chance(0.3) and holds(watched, state):
            yield do(watched, "setsockopt", SOL_SOCKET, C["SO_SNDBUF"], 0)
        for _ in range(choose.integer(2, 7)):
            end = choose.one((watched, other, other))
            if holds(end, state) and (action := _exchange(state, choose, end, sizes, True)) is not None:
                yield action
        yield from ending(state, choose, [other, watched], sizes)

    return scenario


def spliced(connected: Maker) -> Scenario:
    """Return the scenario in which bytes go from a connection into a pipe and from there into another, or back."""

    def scenario(state: ModelView, choose: Chance) -> Iterator[Action]:
        made = yield from connected(state, choose)
        if made is None or not is_awake(made.server.task, state):
            return
        one, other = made.client, made.server
        task = other.task
        before = set(task.files.slots)
        yield task.name, make_call("pipe2", choose.one((0, C["O_NONBLOCK"])))
        fresh = sorted(set(task.files.slots) - before)
        if len(fresh) != 2:
            return
        read, write = fresh
        flags = C["SPLICE_F_NONBLOCK"] | choose.flags(0.3, C["SPLICE_F_MORE"], C["SPLICE_F_MOVE"])
        for _ in range(choose.integer(4, 10)):
            if not is_awake(task, state) or not {read, write} <= set(task.files.slots):
                return
            length = choose.one((1, 10, 100, 5000))
            match choose.integer(0, 7):
                case 0 | 1 if holds(one, state):
                    yield send(state, choose, one, choose.one((1, 50, 3000)))
                case 2 | 3 if holds(other, state):
                    yield task.name, make_call("splice", other.fd, None, write, None, length, flags)
                case 4 | 5 if holds(other, state):
                    yield task.name, make_call("splice", read, None, other.fd, None, length, flags)
                case 6:
                    yield (
                        task.name,
                        make_call("write", write, b"p" * choose.one((1, 100)))
                        if _room(task, write)
                        else (make_call("fcntl", write, C["F_GETPIPE_SZ"])),
                    )
                case _ if holds(one, state):
                    yield receive(state, choose, one, choose.one((10, 5000)))
        if holds(one, state) and choose.chance(0.5):
            yield do(one, "close")
            if holds(other, state):
                yield task.name, make_call("splice", other.fd, None, write, None, 100, flags)

    return scenario


def _room(task: Task, fd: int) -> bool:
    """Tell whether writing a little to the pipe at *fd* does not sleep."""
    slot = task.files.slots.get(fd)
    pipe = getattr(slot.file, "private", None) if slot is not None else None
    return pipe is not None and getattr(pipe, "head", 0) - getattr(pipe, "tail", 0) < 8


def options(
    pool: Sequence[tuple[int, int, Sequence[Any]]], makers: Sequence[Callable[[ModelView, Chance], Any]]
) -> Scenario:
    """Return the scenario in which options are set and asked for, on sockets in any state.

    :param pool: level, name and values of options
    :param makers: bring about a socket, the first of :class:`SocketEnd` or :class:`Connection`
    """

    def scenario(state: ModelView, choose: Chance) -> Iterator[Action]:
        made = yield from choose.one(makers)(state, choose)
        if made is None:
            return
        end = made if isinstance(made, SocketEnd) else made.client
        if choose.chance(0.3) and holds(end, state):
            uid = choose.one((1000, 1001))
            yield end.task.name, make_call("setresuid", uid, uid, uid)
        few = choose.some(pool, 3, 4)
        for _ in range(choose.integer(6, 14)):
            level, name, values = choose.one(few)
            if holds(end, state) and choose.chance(0.85):
                yield do(end, "setsockopt", level, name, choose.one(values))
            if holds(end, state) and choose.chance(0.7):
                yield do(end, "getsockopt", level, name)
        for _ in range(choose.integer(0, 2)):
            if holds(end, state):
                yield do(end, "getsockopt", SOL_SOCKET, C[choose.one(ASKED)])

    return scenario
