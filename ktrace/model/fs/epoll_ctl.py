"""What an epoll set watches (``fs/eventpoll.c``: epoll_ctl)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ktrace.include.linux.types import u32
from ktrace.model.calls import syscall
from ktrace.model.fs.epoll import EPOLL_OPS, Epitem, EventPoll, Release, add_ready, ep_remove, waker
from ktrace.model.fs.file import File, fdget
from ktrace.model.fs.opaque import OpaqueOperations
from ktrace.model.kernel import Kernel
from ktrace.model.task import Errno, Task
from ktrace.model.unsimulated import UNSIMULATED
from ktrace.model.wait import WaitEntry
from ktrace.state.call import Pointer
from ktrace.uapi.eventpoll import (
    EPOLL_CTL_ADD,
    EPOLL_CTL_DEL,
    EPOLL_CTL_MOD,
    EPOLLERR,
    EPOLLET,
    EPOLLEXCLUSIVE,
    EPOLLHUP,
    EPOLLIN,
    EPOLLOUT,
    EPOLLWAKEUP,
)

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

EXCLUSIVE_OK_BITS = EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE
EP_MAX_NESTS = 4


@syscall("epoll_ctl")
def epoll_ctl(task: Task, epfd: int, op: int, fd: int, event: Any) -> int:
    """Change what a set watches (``do_epoll_ctl()``)."""
    kernel = task.kernel
    has_event = op != EPOLL_CTL_DEL
    if has_event and (event is None or isinstance(event, Pointer)):
        raise Errno("EFAULT")
    with fdget(task, epfd) as file, fdget(task, fd) as target:
        if not target.ops.can_poll or _has_no_poll(task, target):
            raise Errno("EPERM")
        if file is target or file.ops is not EPOLL_OPS:
            raise Errno("EINVAL")
        events = u32(event["events"]) if has_event else 0
        if not (task.kernel.config.pm_sleep and task.cred.capable("CAP_BLOCK_SUSPEND")):
            events &= ~EPOLLWAKEUP  # ep_take_care_of_epollwakeup()
        _check_exclusive(op, events, target)
        ep: EventPoll = file.private
        if op == EPOLL_CTL_ADD and target.ops is EPOLL_OPS and ep_loop_check(kernel, ep, target.private):
            raise Errno("ELOOP")
        item = ep.find(target, fd)
        if op == EPOLL_CTL_ADD:
            if item is not None:
                raise Errno("EEXIST")
            ep_insert(task, ep, target, fd, events | EPOLLERR | EPOLLHUP, event["data"])
        elif op not in (EPOLL_CTL_DEL, EPOLL_CTL_MOD):
            raise Errno("EINVAL")
        elif item is None:
            raise Errno("ENOENT")
        elif op == EPOLL_CTL_DEL:
            ep_remove(ep, item)
        elif item.events & EPOLLEXCLUSIVE:
            raise Errno("EINVAL")
        else:
            item.events, item.data = events | EPOLLERR | EPOLLHUP, event["data"]
            if item.poll(task):
                add_ready(kernel, ep, item)
    return 0


def _has_no_poll(task: Task, target: File) -> bool:
    """Tell whether a driver that is not simulated was seen to have no ``poll`` (``file_can_poll()``)."""

    def find(seen: Observed) -> bool:
        result = seen.result(task)
        return result is not None and result.errno == "EPERM"

    unknown = isinstance(target.ops, OpaqueOperations)
    return unknown and bool(task.kernel.choose(UNSIMULATED, find, lambda _: True, otherwise=False))


def _check_exclusive(op: int, events: int, target: File) -> None:
    if not events & EPOLLEXCLUSIVE:
        return
    bad = target.ops is EPOLL_OPS or events & ~EXCLUSIVE_OK_BITS
    if op == EPOLL_CTL_MOD or (op == EPOLL_CTL_ADD and bad):
        raise Errno("EINVAL")


def ep_loop_check(kernel: Kernel, ep: EventPoll, to: EventPoll) -> bool:
    """Tell whether putting *to* into *ep* makes a loop or too deep a chain (``ep_loop_check()``)."""

    def down(found: EventPoll, depth: int) -> int:
        deepest = 0
        for item in found.items:
            if item.file.ops is EPOLL_OPS:
                if item.file.private is ep or depth > EP_MAX_NESTS:
                    return EP_MAX_NESTS + 1
                deepest = max(deepest, down(item.file.private, depth + 1) + 1)
        return deepest

    def up(found: EventPoll) -> int:
        above = [
            action.item.ep
            for file in _files_of(kernel, found)
            for action in file.on_release
            if isinstance(action, Release)
        ]
        return max([up(other) + 1 for other in above], default=0)

    depth = EP_MAX_NESTS + 1 if to is ep else down(to, 0)
    return depth > EP_MAX_NESTS or depth + 1 + up(ep) > EP_MAX_NESTS


def _files_of(kernel: Kernel, ep: EventPoll) -> set[File]:
    return {
        slot.file for task in kernel.tasks.values() for slot in task.files.slots.values() if slot.file.private is ep
    }


def ep_insert(task: Task, ep: EventPoll, target: File, fd: int, events: int, data: int) -> None:
    """Watch a descriptor (``ep_insert()``, ``ep_ptable_queue_proc()``)."""
    kernel = task.kernel
    item = Epitem(ep, target, fd, events, data)
    ep.items.append(item)
    target.on_release.insert(0, Release(item))
    for queue in target.ops.poll_queues(task, target):
        entry = WaitEntry(None, bool(events & EPOLLEXCLUSIVE), waker(kernel, item), kind="ep_poll_callback")
        queue.add(entry)
        item.waits.append((queue, entry))
    if item.poll(task):
        add_ready(kernel, ep, item)
