"""Scenarios of datagrams between AF_UNIX sockets: who sends to whom, full queues, receivers that change or go."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.agent.syscalls import make_call
from ktrace.fuzz.chance import Chance
from ktrace.fuzz.families.fs.files import may_block
from ktrace.fuzz.families.net.actions import (
    Actions,
    Address,
    SocketEnd,
    actor,
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
from ktrace.uapi.socket import AF_UNSPEC, MSG_DONTWAIT

UNSPEC: Address = {"sa_family": AF_UNSPEC}


def named(state: ModelView, kind: str = "") -> Address:
    """Return an abstract name that nobody has."""
    return {"sa_family": C["AF_UNIX"], "sun_path": b"\0%s%d" % (kind.encode(), state.number)}


def bound_socket(
    state: ModelView, choose: Chance, prefix: str
) -> Generator[Action, None, tuple[SocketEnd, Address] | None]:
    """Have an actor make a datagram socket under a new name that begins with *prefix*; ``None`` if that failed."""
    task = actor(state, choose)
    yield from make_room(task, choose)
    end = yield from new_socket(state, choose, task, C["AF_UNIX"], C["SOCK_DGRAM"])
    if end is None:
        return None
    address = named(state, prefix)
    yield do(end, "bind", address)
    return end, address


def many_to_one(state: ModelView, choose: Chance) -> Iterator[Action]:
    """Have several sockets send to one or two receivers until there is no room, by name or connected."""
    receivers: list[tuple[SocketEnd, Address]] = []
    for _ in range(choose.one((1, 1, 2))):
        bound = yield from bound_socket(state, choose, "r")
        if bound is None:
            return
        receivers.append(bound)
    senders: list[SocketEnd] = []
    for _ in range(choose.integer(1, 3)):
        if not state.free():
            return
        end = yield from new_socket(state, choose, actor(state, choose), C["AF_UNIX"], C["SOCK_DGRAM"])
        if end is None:
            return
        senders.append(end)
        if choose.chance(0.4) and holds(end, state):
            yield do(end, "bind", named(state, "s"))
        if choose.chance(0.7) and holds(end, state):
            yield do(end, "connect", choose.one(receivers)[1])
    if choose.chance(0.25):
        yield from _claim(state, choose, receivers, senders)
    sender = choose.one(senders)
    for _ in range(choose.one((2, 5, 11, 12))):
        if holds(sender, state):
            yield _message(state, choose, sender, receivers, MSG_DONTWAIT)
    if holds(sender, state) and choose.chance(0.5):
        epoll = yield from _watched(state, choose, sender)
        if epoll is not None and holds(choose.one(receivers)[0], state):
            yield receive(state, choose, receivers[0][0], 100)
            if sender.task.running is None:
                yield sender.task.name, make_call("epoll_wait", epoll, 4, 0)
    for _ in range(choose.integer(3, 12)):
        yield from _step(state, choose, receivers, senders)


def _claim(
    state: ModelView, choose: Chance, receivers: list[tuple[SocketEnd, Address]], senders: list[SocketEnd]
) -> Actions:
    """Connect a receiver to one of the senders: from then on it takes packets from that one only."""
    sender, (receiver, _) = choose.one(senders), choose.one(receivers)
    if holds(sender, state) and holds(receiver, state):
        address = named(state, "c")
        yield do(sender, "bind", address)
        if holds(receiver, state):
            yield do(receiver, "connect", address)


def _message(
    state: ModelView, choose: Chance, sender: SocketEnd, receivers: list[tuple[SocketEnd, Address]], flags: int
) -> Action:
    size = choose.one((0, 1, 10, 10, 100, 3000))
    if choose.chance(0.35):
        address: Any = choose.one(receivers)[1]
        return do(sender, "sendto", bytes([state.number & 0xFF]) * size, flags=flags, dest_addr=address)
    return send(state, choose, sender, size, flags)


def _watched(state: ModelView, choose: Chance, end: SocketEnd) -> Any:
    """Watch for room to send with epoll."""
    before = set(end.task.files.slots)
    yield end.task.name, make_call("epoll_create1", 0)
    fresh = set(end.task.files.slots) - before
    if len(fresh) != 1 or not holds(end, state):
        return None
    epoll = fresh.pop()
    events = C["EPOLLOUT"] | choose.flags(0.6, C["EPOLLET"]) | choose.flags(0.3, C["EPOLLIN"])
    yield end.task.name, make_call("epoll_ctl", epoll, 1, end.fd, {"events": events, "data": end.fd})
    if end.task.running is None:
        yield end.task.name, make_call("epoll_wait", epoll, 4, 0)
    return epoll


def _step(
    state: ModelView, choose: Chance, receivers: list[tuple[SocketEnd, Address]], senders: list[SocketEnd]
) -> Actions:
    sender, (receiver, address) = choose.one(senders), choose.one(receivers)
    match choose.integer(0, 13):
        case 0 | 1 if holds(sender, state) and may_block(state, choose, 1.0):
            yield _message(state, choose, sender, receivers, choose.flags(0.5, C["MSG_NOSIGNAL"]))
        case 0 | 1 | 2 | 3 if holds(sender, state):
            yield _message(state, choose, sender, receivers, MSG_DONTWAIT)
        case 4 | 5 | 6 | 7 if holds(receiver, state):
            flags = sleepy(state, choose, 0.15) | choose.flags(0.2, C["MSG_PEEK"], C["MSG_TRUNC"])
            yield receive(state, choose, receiver, choose.one((0, 1, 5, 100, 4000)), flags)
        case 8 if holds(sender, state):
            yield do(sender, "connect", choose.one((UNSPEC, address, choose.one(receivers)[1])))
        case 9 if holds(receiver, state):
            yield do(receiver, "shutdown", choose.integer(0, 2))
        case 10 if holds(sender, state):
            yield do(sender, "setsockopt", C["SOL_SOCKET"], C["SO_SNDBUF"], choose.one((0, 2500, 100000)))
        case 11 if holds(receiver, state) and choose.chance(0.6):
            yield do(receiver, "close")
        case 12 if holds(sender, state):
            yield sender.task.name, poll_of(state, choose, sender)
        case _ if holds(receiver, state):
            yield do(receiver, "setsockopt", C["SOL_SOCKET"], C["SO_PEEK_OFF"], choose.one((0, 2, 12, -1)))


def peeking_at_offsets(state: ModelView, choose: Chance) -> Iterator[Action]:
    """Peek at offsets across packets of a pair, empty ones among them, then receive."""
    task = actor(state, choose)
    yield from make_room(task, choose)
    before = set(task.files.slots)
    kind = choose.one((C["SOCK_DGRAM"], C["SOCK_SEQPACKET"]))
    yield task.name, make_call("socketpair", C["AF_UNIX"], kind, 0)
    fresh = sorted(set(task.files.slots) - before)
    if len(fresh) != 2:
        return
    one, other = SocketEnd(task, fresh[0]), SocketEnd(task, fresh[1])
    yield do(other, "setsockopt", C["SOL_SOCKET"], C["SO_PEEK_OFF"], choose.one((0, 0, 5, 10, 100)))
    for size in (choose.one((0, 1, 5, 5, 10)) for _ in range(choose.integer(2, 4))):
        if holds(one, state):
            yield send(state, choose, one, size)
    for _ in range(choose.integer(3, 7)):
        if holds(other, state):
            flags = MSG_DONTWAIT | choose.flags(0.7, C["MSG_PEEK"]) | choose.flags(0.3, C["MSG_TRUNC"])
            yield receive(state, choose, other, choose.one((1, 4, 5, 20)), flags)


def mutual(state: ModelView, choose: Chance) -> Iterator[Action]:
    """Connect packets' sockets to each other, fill them, then connect elsewhere, to nobody, or close one."""
    ends: list[tuple[SocketEnd, Address]] = []
    for _ in range(choose.one((2, 2, 3))):
        if not state.free():
            return
        bound = yield from bound_socket(state, choose, "m")
        if bound is None:
            return
        ends.append(bound)
    for number, (end, _) in enumerate(ends):
        if holds(end, state):
            yield do(end, "connect", ends[1 - number][1] if number < 2 else ends[0][1])
    for _ in range(choose.integer(2, 5)):
        end = choose.one(ends[:2])[0]
        if holds(end, state):
            yield send(state, choose, end, choose.one((1, 10)))
    for _ in range(choose.integer(2, 6)):
        end, _ = choose.one(ends)
        if not holds(end, state):
            continue
        match choose.integer(0, 7):
            case 0 | 1 | 2:
                yield do(end, "connect", choose.one((UNSPEC, *(where for _, where in ends))))
            case 3:
                yield do(end, "close")
            case 4:
                yield send(state, choose, end, 5, sleepy(state, choose, 0.3))
            case 5:
                yield do(end, "sendto", b"named", flags=MSG_DONTWAIT, dest_addr=choose.one(ends)[1])
            case 6:
                yield receive(state, choose, end, 100, sleepy(state, choose, 0.2))
            case _:
                yield end.task.name, poll_of(state, choose, end)


def waiting_for_room(state: ModelView, choose: Chance) -> Iterator[Action]:
    """Fill a receiver, have one or two senders wait for room, then make some, or take the receiver away."""
    bound = yield from bound_socket(state, choose, "w")
    if bound is None:
        return
    receiver, address = bound
    senders: list[SocketEnd] = []
    for _ in range(choose.one((1, 2, 2))):
        if not state.free():
            return
        end = yield from new_socket(state, choose, actor(state, choose), C["AF_UNIX"], C["SOCK_DGRAM"])
        if end is None:
            return
        senders.append(end)
        if holds(end, state) and choose.chance(0.7):
            yield do(end, "connect", address)
    room = receiver.task.files.slots[receiver.fd].file.private.sk.max_ack_backlog if holds(receiver, state) else 0
    for _ in range(min(room + 1, 12)):
        if holds(senders[0], state):
            yield do(senders[0], "sendto", b"w", flags=MSG_DONTWAIT, dest_addr=address)
    for end in senders:
        if holds(end, state) and may_block(state, choose, 0.8):
            where = address if choose.chance(0.3) else None
            yield do(end, "sendto", b"wait", flags=choose.flags(0.3, C["MSG_NOSIGNAL"]), dest_addr=where)
        elif holds(end, state):
            yield end.task.name, poll_of(state, choose, end)
    for _ in range(choose.integer(1, 4)):
        if not holds(receiver, state):
            return
        match choose.integer(0, 7):
            case 0 | 1 | 2 | 3:
                yield receive(state, choose, receiver, 100, MSG_DONTWAIT | choose.flags(0.2, C["MSG_PEEK"]))
            case 4:
                yield do(receiver, "shutdown", choose.integer(0, 2))
            case 5:
                yield do(receiver, "connect", choose.one((UNSPEC, address)))
            case _:
                yield do(receiver, "close")
