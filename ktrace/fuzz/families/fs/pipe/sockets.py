"""What takes several calls on a pipe and sockets: pages that go from the one to the other, into used slots."""

from __future__ import annotations

from collections.abc import Iterator

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.agent.syscalls import make_call
from ktrace.fuzz.chance import Chance, pattern
from ktrace.fuzz.families.fs.pipe.scenarios import is_read_end, is_write_end
from ktrace.fuzz.families.net.socket import is_socket
from ktrace.fuzz.model_view import Action, ModelView, open_fds
from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.model.task import Task
from ktrace.uapi.splice import SPLICE_F_NONBLOCK

_DONTWAIT = C["MSG_DONTWAIT"] | C["MSG_NOSIGNAL"]
SIZES = (1, 10, 100, PAGE_SIZE, 6000)


def through_socket(state: ModelView, choose: Chance) -> Iterator[Action]:
    """Have somebody who has a pipe move what sockets carry into it, and out of it again, and write behind that."""
    holders = [(task, fd) for task in state.free() for fd, file in open_fds(task) if is_write_end(file)]
    if not holders:
        return
    task, fd = choose.one(holders)
    if len(_sockets(task)) < 2:
        kind = choose.one((C["SOCK_STREAM"], C["SOCK_STREAM"], C["SOCK_DGRAM"], C["SOCK_SEQPACKET"]))
        yield task.name, make_call("socketpair", C["AF_UNIX"], kind, 0)
    for _ in range(choose.integer(3, 8)):
        sockets = _sockets(task)
        slot = task.files.slots.get(fd)
        if task.running is not None or len(sockets) < 2 or slot is None or not is_write_end(slot.file):
            return
        size = choose.one(SIZES)
        match choose.integer(0, 5):
            case 0 | 1:
                yield task.name, make_call("sendto", choose.one(sockets), pattern(state.number, size), flags=_DONTWAIT)
            case 2 | 3:
                yield task.name, make_call("splice", choose.one(sockets), None, fd, None, size, SPLICE_F_NONBLOCK)
            case 4:
                if slot.file.private.readers and not slot.file.private.full():
                    yield task.name, make_call("write", fd, pattern(state.number, choose.one((1, 50, PAGE_SIZE))))
            case 5:
                ends = [end for end, file in open_fds(task) if is_read_end(file)]
                if ends and choose.chance(0.5):
                    yield task.name, make_call("read", choose.one(ends), choose.one((10, 3 * PAGE_SIZE)))
                elif ends:
                    more = choose.flags(0.3, C["SPLICE_F_MORE"])
                    yield (
                        task.name,
                        make_call(
                            "splice", choose.one(ends), None, choose.one(sockets), None, size, SPLICE_F_NONBLOCK | more
                        ),
                    )


def _sockets(task: Task) -> list[int]:
    return [fd for fd, file in open_fds(task) if is_socket(file)]
