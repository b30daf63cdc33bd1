"""Epoll sets (``fs/eventpoll.c``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ktrace.include.linux.fs import FMODE_READ, FMODE_WRITE
from ktrace.model.calls import syscall
from ktrace.model.fs.file import File, FileOperations, observe_file
from ktrace.model.fs.file_table import get_unused_fd
from ktrace.model.fs.opaque import OpaqueOperations
from ktrace.model.kernel import Kernel
from ktrace.model.task import Errno, Task
from ktrace.model.unsimulated import UNSIMULATED
from ktrace.model.wait import WaitEntry, WaitQueue, waiters, wake_up
from ktrace.state.fs import epoll as state
from ktrace.state.ref import Ref
from ktrace.state.rule import Rule
from ktrace.uapi.eventpoll import (
    EPOLLET,
    EPOLLEXCLUSIVE,
    EPOLLIN,
    EPOLLONESHOT,
    EPOLLOUT,
    EPOLLRDNORM,
    EPOLLWAKEUP,
)
from ktrace.uapi.fcntl import O_CLOEXEC, O_RDWR

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

PRIVATE_BITS = EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE
READY = Rule("fs/eventpoll.c", "ep_poll_callback", "when a file that is not simulated becomes ready")
OFTEN = 8
"""No file becomes ready more often in a step, each time anew."""

EPIOCSPARAMS, EPIOCGPARAMS = 0x40088A01, 0x80088A02
"""``include/uapi/linux/eventpoll.h`` has them since 6.9."""


@dataclass(eq=False)
class Epitem:
    """Mirror one ``struct epitem``.

    :param heard: how often a file that is not simulated was taken to be ready in the step that runs
    """

    ep: EventPoll
    file: File
    fd: int
    events: int
    data: int
    waits: list[tuple[WaitQueue, WaitEntry]] = field(default_factory=list)
    heard: int = 0

    def poll(self, task: Task) -> int:
        """Return the events of interest that the file has now (``ep_item_poll()``).

        Of a file that is not simulated: those that the caller was told, else any as long as it stays on the ready list.
        """
        if self.is_opaque:
            mask = task.kernel.choose(UNSIMULATED, lambda seen: self._as_seen(seen, task), lambda _: True, 0)
            return mask & self.events
        task.poll_key = self.events
        return self.file.ops.poll(task, self.file) & self.events

    @property
    def is_opaque(self) -> bool:
        """Tell whether nobody but the kernel knows when the file is ready."""
        return isinstance(self.file.ops, OpaqueOperations)

    def told(self, seen: Observed, task: Task) -> int | None:
        """Return what epoll_wait was seen to tell *task* of this item, ``None`` where it did not return.

        :raises NotImplementedError: others of the set have the same number
        """
        result = seen.result(task)
        if result is None or not _waits_in(task, self.ep):
            return None
        masks = [event["events"] for event in result.out.get("events", ()) if event["data"] == self.data]
        if masks and any(item.data == self.data for item in self.ep.items if item is not self):
            raise NotImplementedError("the model does not know which of the descriptors with the same data is ready")
        return masks[0] if masks else 0

    def _as_seen(self, seen: Observed, task: Task) -> int:
        told = self.told(seen, task)
        if told is not None:
            return told
        return self.events & ~PRIVATE_BITS if self.fd in seen.ready(self.ep, task.kernel) else 0


class EventPoll:
    """Mirror one ``struct eventpoll``."""

    def __init__(self, key: int) -> None:
        self.key = key
        self.items: list[Epitem] = []
        self.ready: list[Epitem] = []
        self.wq = WaitQueue()
        self.poll_wait = WaitQueue()

    @property
    def ref(self) -> Ref:
        """Return the raw reference of this set."""
        return Ref("epoll", self.key)

    def find(self, file: File, fd: int) -> Epitem | None:
        """``ep_find()``."""
        return next((item for item in self.items if item.file is file and item.fd == fd), None)

    def observe(self, kernel: Kernel, objects: dict[Ref, Any]) -> Ref:
        """Add this set and the files that it watches."""
        if self.ref not in objects:
            items: dict[Ref, tuple[state.EpollItem, ...]] = {}
            for item in sorted(self.items, key=lambda item: item.fd):
                file = observe_file(kernel, objects, item.file)
                found = state.EpollItem(fd=item.fd, events=state.event_names(item.events), data=item.data)
                items[file] = (*items.get(file, ()), found)
            ready = tuple(item.fd for item in self.ready)
            objects[self.ref] = state.Epoll(
                items=items, ready=ready, wq=waiters(self.wq), poll_wait=waiters(self.poll_wait)
            )
        return self.ref


def hear_of_the_unknown(kernel: Kernel, anew: bool = False) -> None:
    """Put items on their ready list whose file was seen to have become ready (``ep_poll_callback()``).

    Who was told otherwise by a file that is on the ready list sleeps on: that comes to an end.

    :param anew: a step begins
    """
    for ep in _sets(kernel):
        for item in ep.items:
            item.heard = 0 if anew else item.heard
            if not item.is_opaque or item in ep.ready or not item.events & ~PRIVATE_BITS or item.heard > OFTEN:
                continue

            def find(seen: Observed, ep: EventPoll = ep, item: Epitem = item) -> bool:
                return was_heard(kernel, seen, ep, item)

            ops = item.file.ops
            assert isinstance(ops, OpaqueOperations)
            may = ops.may_wake(kernel, item.file)
            if kernel.choose(READY, find, _once(may), otherwise=False):
                item.heard += 1
                ops.woke(item.file)
                add_ready(kernel, ep, item)


def was_heard(kernel: Kernel, seen: Observed, ep: EventPoll, item: Epitem) -> bool:
    """Tell whether *item* was seen on the ready list of *ep*, or who waits for *ep* was told of it."""
    waiting = [task for task in kernel.tasks.values() if _waits_in(task, ep)]
    return item.fd in seen.ready(ep, kernel) or any(item.told(seen, task) for task in waiting)


def _once(may: bool) -> Callable[[bool], bool]:
    """Return what tells whether it is allowed that a file was seen to become ready, or not."""
    return lambda heard: may or not heard


def _sets(kernel: Kernel) -> list[EventPoll]:
    """Return the sets that some actor has open."""
    found: dict[int, EventPoll] = {}
    for task in kernel.tasks.values():
        for slot in task.files.slots.values():
            if slot.file.ops is EPOLL_OPS:
                found[slot.file.private.key] = slot.file.private
    return list(found.values())


def _waits_in(task: Task, ep: EventPoll) -> bool:
    """Tell whether *task* is in epoll_wait() on *ep*."""
    if task.call is None or task.call.name not in ("epoll_wait", "epoll_pwait"):
        return False
    slot = task.files.slots.get(task.call.args[0])
    return slot is not None and slot.file.private is ep


class EpollFileOperations(FileOperations):
    """``eventpoll_fops``."""

    name = "eventpoll_fops"

    def observe(self, kernel: Kernel, file: File, objects: dict[Ref, Any]) -> None:
        """Add the set."""
        file.private.observe(kernel, objects)

    def poll_queues(self, task: Task, file: File) -> list[WaitQueue]:
        """Return where pollers of the set itself wait."""
        return [file.private.poll_wait]

    def poll(self, task: Task, file: File) -> int:
        """Tell whether anything is ready, dropping what is not (``__ep_eventpoll_poll()``)."""
        ep: EventPoll = file.private
        left, ep.ready = ep.ready, []
        mask = 0
        while left:
            if left[0].poll(task):
                mask = EPOLLIN | EPOLLRDNORM
                break
            left.pop(0)
        ep_done_scan(task.kernel, ep, left)
        return mask

    def ioctl(self, task: Task, file: File, cmd: int, arg: Any) -> int:
        """Refuse what it does not know, since it knows anything (``ep_eventpoll_ioctl()``)."""
        if not task.kernel.changes.epoll_ioctl:
            raise Errno("ENOTTY")
        if cmd in (EPIOCSPARAMS, EPIOCGPARAMS):
            raise NotImplementedError("the model does not know how epoll polls network devices (EPIOCSPARAMS)")
        raise Errno("EINVAL")

    def llseek(self, task: Task, file: File, offset: int, whence: int) -> int:
        """Stay where it is (``noop_llseek()``)."""
        return file.pos

    def release(self, task: Task, file: File) -> None:
        """Stop watching (``ep_clear_and_put()``)."""
        ep: EventPoll = file.private
        if ep.poll_wait.entries:
            wake_up(task.kernel, ep.poll_wait, 1, EPOLLIN)
        for item in list(ep.items):
            ep_remove(ep, item)


EPOLL_OPS = EpollFileOperations()


def add_ready(kernel: Kernel, ep: EventPoll, item: Epitem) -> None:
    """Put an item on the ready list, and wake who waits (``ep_insert()``, ``ep_modify()``)."""
    if item in ep.ready:
        return
    ep.ready.append(item)
    if ep.wq.entries:
        wake_up(kernel, ep.wq)
    if ep.poll_wait.entries:
        wake_up(kernel, ep.poll_wait, 1, EPOLLIN)


def ep_done_scan(kernel: Kernel, ep: EventPoll, left: list[Epitem]) -> None:
    """Put the items that were not looked at back, before those that became ready meanwhile (``ep_done_scan()``)."""
    ep.ready = left + ep.ready
    if ep.ready and ep.wq.entries:
        wake_up(kernel, ep.wq)


def waker(kernel: Kernel, item: Epitem) -> Callable[[int], bool]:
    """Return the wake function of an item's entry on the queue of its file (``ep_poll_callback()``)."""

    def ep_poll_callback(key: int) -> bool:
        ep = item.ep
        woke = False
        if item.events & ~PRIVATE_BITS and (not key or key & item.events):
            if item not in ep.ready:
                ep.ready.append(item)
            if ep.wq.entries:
                if item.events & EPOLLEXCLUSIVE:
                    bits = key & (EPOLLIN | EPOLLOUT)
                    woke = bits == 0 or (bits in (EPOLLIN, EPOLLOUT) and bool(item.events & bits))
                wake_up(kernel, ep.wq)
            if ep.poll_wait.entries:
                wake_up(kernel, ep.poll_wait, 1, EPOLLIN)
        return woke or not item.events & EPOLLEXCLUSIVE

    return ep_poll_callback


def ep_remove(ep: EventPoll, item: Epitem) -> None:
    """Stop watching one descriptor (``ep_remove()``)."""
    for queue, entry in item.waits:
        queue.remove(entry)
    ep.items.remove(item)
    if item in ep.ready:
        ep.ready.remove(item)
    item.file.on_release = [action for action in item.file.on_release if getattr(action, "item", None) is not item]


class Release:
    """Forget a watched file at its last close (``eventpoll_release_file()``)."""

    def __init__(self, item: Epitem) -> None:
        self.item = item

    def __call__(self) -> None:
        ep_remove(self.item.ep, self.item)


@syscall("epoll_create")
def epoll_create(task: Task, size: int) -> int:
    """Make an epoll set (``fs/eventpoll.c``: epoll_create)."""
    if size <= 0:
        raise Errno("EINVAL")
    return epoll_create1(task, 0)


@syscall("epoll_create1")
def epoll_create1(task: Task, flags: int) -> int:
    """Make an epoll set (``do_epoll_create()``)."""
    kernel = task.kernel
    if flags & ~O_CLOEXEC:
        raise Errno("EINVAL")
    ep = EventPoll(kernel.serial())
    fd = get_unused_fd(task)
    file = File(kernel.serial(), EPOLL_OPS, FMODE_READ | FMODE_WRITE, O_RDWR, ep.ref, ep)
    task.files.install(fd, file, bool(flags & O_CLOEXEC))
    return fd
