"""What takes several calls on two sockets that are connected: full queues, urgent bytes, peeking at offsets."""

from __future__ import annotations

from collections.abc import Iterator

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.agent.syscalls import make_call
from ktrace.fuzz.chance import Chance, pattern
from ktrace.fuzz.families.net.socket import is_socket
from ktrace.fuzz.model_view import Action, ModelView, open_fds
from ktrace.model.net.core.sock import Sock
from ktrace.model.net.unix.sock import Unix
from ktrace.model.task import Task
from ktrace.uapi.socket import MSG_DONTWAIT

UnixEnd = tuple[Task, int, Unix]


def full_queue(state: ModelView, choose: Chance) -> Iterator[Action]:
    """Send until there is no room, wait for some now and then, then receive."""
    if (pair := _pair(state, choose)) is None:
        return
    (task, fd, sk), _ = pair
    if choose.chance(0.5):
        yield task.name, make_call("setsockopt", fd, C["SOL_SOCKET"], C["SO_SNDBUF"], choose.one((0, 2500, 5000)))
    size = choose.one((1, 100, 2000, 2000, 30000))
    # A datagram socket takes max_dgram_qlen and one more.
    for _ in range(14 if sk.type == C["SOCK_DGRAM"] else choose.integer(3, 14)):
        if not _holds(task, fd, sk):
            return
        yield task.name, make_call("sendto", fd, pattern(state.number, size), flags=MSG_DONTWAIT)
    if len(state.free()) > 2 and choose.chance(0.6) and _holds(task, fd, sk):
        yield task.name, make_call("sendto", fd, pattern(state.number, size), flags=C["MSG_NOSIGNAL"])
    for _ in range(choose.integer(1, 5)):
        if (end := _end_of(state, sk.peer)) is None:
            return
        length = choose.one((1, 100, 5000, 100000))
        yield (
            end[0].name,
            make_call("recvfrom", end[1], len=length, flags=MSG_DONTWAIT | choose.flags(0.1, C["MSG_PEEK"])),
        )
    if choose.chance(0.3) and (end := _end_of(state, sk.peer)) is not None:
        yield end[0].name, make_call("close", end[1])


def urgent(state: ModelView, choose: Chance) -> Iterator[Action]:
    """Send ordinary and urgent bytes in turn, receive them in any order."""
    if (pair := _pair(state, choose)) is None:
        return
    (task, fd, sk), _ = pair
    if (end := _end_of(state, sk.peer)) is not None and choose.chance(0.3):
        yield end[0].name, make_call("setsockopt", end[1], C["SOL_SOCKET"], C["SO_OOBINLINE"], choose.integer(0, 1))
    for _ in range(choose.integer(3, 8)):
        if choose.chance(0.5) and _holds(task, fd, sk):
            flags = MSG_DONTWAIT | choose.flags(0.5, C["MSG_OOB"])
            yield task.name, make_call("sendto", fd, pattern(state.number, choose.one((1, 1, 3, 10))), flags=flags)
        elif (end := _end_of(state, sk.peer)) is not None:
            flags = MSG_DONTWAIT | choose.flags(0.35, C["MSG_OOB"], C["MSG_PEEK"])
            if choose.chance(0.15):
                yield end[0].name, make_call("ioctl", end[1], C[choose.one(("SIOCATMARK", "FIONREAD"))])
            else:
                yield end[0].name, make_call("recvfrom", end[1], len=choose.one((1, 2, 5, 50)), flags=flags)


def peeking(state: ModelView, choose: Chance) -> Iterator[Action]:
    """Set an offset for peeking, then peek and receive across several messages."""
    if (pair := _pair(state, choose)) is None:
        return
    (task, fd, sk), _ = pair
    for _ in range(choose.integer(1, 3)):
        if _holds(task, fd, sk):
            yield task.name, make_call("sendto", fd, pattern(state.number, choose.one((1, 5, 20))), flags=MSG_DONTWAIT)
    if (end := _end_of(state, sk.peer)) is not None:
        offset = choose.one((0, 0, 3, 7, 100, -1))
        yield end[0].name, make_call("setsockopt", end[1], C["SOL_SOCKET"], C["SO_PEEK_OFF"], offset)
    for _ in range(choose.integer(2, 5)):
        if (end := _end_of(state, sk.peer)) is None:
            return
        flags = MSG_DONTWAIT | choose.flags(0.6, C["MSG_PEEK"])
        yield end[0].name, make_call("recvfrom", end[1], len=choose.one((1, 4, 10, 100)), flags=flags)


def _pair(state: ModelView, choose: Chance) -> tuple[UnixEnd, UnixEnd] | None:
    """Return both ends of a connection, each in the hands of a free actor; ``None`` if there is none."""
    found = []
    for task in state.free():
        for fd, file in open_fds(task):
            if is_socket(file) and isinstance(file.private.sk, Unix) and file.private.sk.peer is not None:
                other = _end_of(state, file.private.sk.peer)
                if other is not None:
                    found.append(((task, fd, file.private.sk), other))
    return choose.one(found) if found else None


def _end_of(state: ModelView, sk: Sock | None) -> UnixEnd | None:
    for task in state.free():
        for fd, file in open_fds(task):
            if sk is not None and is_socket(file) and file.private.sk is sk:
                assert isinstance(sk, Unix)
                return task, fd, sk
    return None


def _holds(task: Task, fd: int, sk: Sock) -> bool:
    slot = task.files.slots.get(fd)
    return task.running is None and slot is not None and is_socket(slot.file) and slot.file.private.sk is sk
