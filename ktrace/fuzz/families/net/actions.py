"""What scenarios of sockets are made of: fresh sockets, connections, and calls on either end."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any, NamedTuple

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.agent.syscalls import make_call
from ktrace.fuzz.chance import Chance, pattern
from ktrace.fuzz.families.fs.files import may_block
from ktrace.fuzz.model_view import Action, ModelView, open_fds
from ktrace.model.net.core.sock import Socket
from ktrace.model.task import Task
from ktrace.uapi.socket import MSG_DONTWAIT

MANY = 12
"""Sockets of one actor from which on a scenario closes some first."""

Address = dict[str, Any]
Actions = Generator[Action, None, None]


class SocketEnd(NamedTuple):
    """A socket in the hands of an actor."""

    task: Task
    fd: int


class Connection(NamedTuple):
    """Both ends of what was connected, and who listens for more."""

    client: SocketEnd
    server: SocketEnd
    listener: SocketEnd | None = None


Made = Generator[Action, None, SocketEnd | None]
Connected = Generator[Action, None, Connection | None]


def actor(state: ModelView, choose: Chance) -> Task:
    """Return an actor that may be given a call."""
    return choose.one(state.free())


def is_awake(task: Task, state: ModelView) -> bool:
    """Tell whether *task* lives and is not inside a call."""
    return state.kernel.tasks.get(task.name) is task and task.running is None


def holds(end: SocketEnd, state: ModelView) -> bool:
    """Tell whether *end* still is a socket that its actor may use now."""
    slot = end.task.files.slots.get(end.fd)
    return is_awake(end.task, state) and slot is not None and isinstance(slot.file.private, Socket)


def do(end: SocketEnd, name: str, *args: Any, **named: Any) -> Action:
    """Return the action in which the actor of *end* calls *name* on its socket."""
    return end.task.name, make_call(name, end.fd, *args, **named)


def make_room(task: Task, choose: Chance) -> Actions:
    """Close some sockets of an actor that has many."""
    sockets = [fd for fd, file in open_fds(task) if isinstance(file.private, Socket)]
    if len(sockets) > MANY:
        for fd in choose.some(sockets, 4, 8):
            yield task.name, make_call("close", fd)


def new_socket(state: ModelView, choose: Chance, task: Task, domain: int, kind: int, protocol: int = 0) -> Made:
    """Make a socket; ``None`` if that failed."""
    before = set(task.files.slots)
    yield task.name, make_call("socket", domain, kind, protocol)
    return _new_end(task, before)


def new_pair(state: ModelView, choose: Chance, task: Task, kind: int) -> Connected:
    """Make a pair of AF_UNIX sockets."""
    before = set(task.files.slots)
    yield task.name, make_call("socketpair", C["AF_UNIX"], kind, 0)
    fresh = sorted(set(task.files.slots) - before)
    return Connection(SocketEnd(task, fresh[0]), SocketEnd(task, fresh[1])) if len(fresh) == 2 else None


def accepted(listener: SocketEnd, flags: int) -> Made:
    """Accept a connection that waits already."""
    before = set(listener.task.files.slots)
    yield do(listener, "accept4", flags)
    return _new_end(listener.task, before)


def _new_end(task: Task, before: set[int]) -> SocketEnd | None:
    fresh = set(task.files.slots) - before
    return SocketEnd(task, fresh.pop()) if len(fresh) == 1 else None


def connect_fresh(
    state: ModelView, choose: Chance, domain: int, kind: int, address: Address, options: Iterator[tuple[int, int, Any]]
) -> Connected:
    """Connect a fresh socket to a fresh listener.

    :param options: set before anything else, on either of them
    """
    server, client = actor(state, choose), actor(state, choose)
    for task in (server, client):
        yield from make_room(task, choose)
    listener = yield from new_socket(state, choose, server, domain, kind)
    if listener is None:
        return None
    for level, name, value in options:
        yield do(listener, "setsockopt", level, name, value)
    yield do(listener, "bind", address)
    yield do(listener, "listen", choose.one((0, 1, 5)))
    if not is_awake(client, state):
        return None
    end = yield from new_socket(state, choose, client, domain, kind)
    if end is None:
        return None
    yield do(end, "connect", address)
    if not holds(end, state) or not holds(listener, state):
        return None
    other = yield from accepted(listener, choose.flags(0.2, C["SOCK_NONBLOCK"]) | choose.flags(0.1, C["SOCK_CLOEXEC"]))
    return None if other is None else Connection(end, other, listener)


def hand_over(state: ModelView, choose: Chance, end: SocketEnd) -> Made:
    """Fork, so that a child has *end*, too; return the child's, or *end* itself where there are actors enough."""
    if len(state.tasks()) > 6 or not is_awake(end.task, state):
        return end
    name = state.new_name()
    yield end.task.name, make_call("fork", name, 0)
    child = state.kernel.tasks.get(name)
    return end if child is None else SocketEnd(child, end.fd)


def send(state: ModelView, choose: Chance, end: SocketEnd, size: int, flags: int = MSG_DONTWAIT) -> Action:
    """Return the sending of *size* bytes that tell where they come from."""
    if not flags & ~MSG_DONTWAIT and choose.chance(0.1):
        return do(end, "sendmsg", {"msg_iov": (pattern(state.number, size),)}, flags)
    return do(end, "sendto", pattern(state.number, size), flags=flags)


def receive(state: ModelView, choose: Chance, end: SocketEnd, length: int, flags: int = MSG_DONTWAIT) -> Action:
    """Return the receiving of up to *length* bytes."""
    if choose.chance(0.15):
        room = {"msg_iov": (length,), "msg_namelen": choose.one((0, 16, 110)), "msg_controllen": choose.one((0, 64))}
        return do(end, "recvmsg", room, flags)
    return do(end, "recvfrom", len=length, flags=flags)


def sleepy(state: ModelView, choose: Chance, probability: float) -> int:
    """Return MSG_DONTWAIT, or nothing where somebody is left to end the sleep."""
    return 0 if may_block(state, choose, probability) else MSG_DONTWAIT
