"""Epoll sets (``fs/eventpoll.c``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ktrace.include.linux.fs import FMODE_READ, FMODE_WRITE
from ktrace.include.linux.types import u32
from ktrace.model.calls import syscall
from ktrace.model.fs.file import File, FileOperations, fdget, observe_file
from ktrace.model.fs.file_table import get_unused_fd
from ktrace.model.fs.opaque import OpaqueOperations
from ktrace.model.fs.poll import UserSigmask
from ktrace.model.kernel import UNSIMULATED, Kernel
from ktrace.model.mm.iov import out_is_bad
from ktrace.model.task import Errno, Task
from ktrace.model.timer import schedule_until, start
from ktrace.model.wait import Sleeps, WaitEntry, WaitQueue, waiters, wake_up
from ktrace.state.call import Pointer, Result
from ktrace.state.fs import epoll as state
from ktrace.state.ref import Ref
from ktrace.uapi.eventpoll import (
    EPOLL_CTL_ADD,
    EPOLL_CTL_DEL,
    EPOLL_CTL_MOD,
    EPOLLERR,
    EPOLLET,
    EPOLLEXCLUSIVE,
    EPOLLHUP,
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
EXCLUSIVE_OK_BITS = EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE
EP_MAX_NESTS = 4
EP_MAX_EVENTS = 0x7FFFFFFF // 12


@dataclass(eq=False)
class Epitem:
    """Mirror one ``struct epitem``."""

    ep: EventPoll
    file: File
    fd: int
    events: int
    data: int
    waits: list[tuple[WaitQueue, WaitEntry]] = field(default_factory=list)

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


def hear_of_the_unknown(kernel: Kernel) -> None:
    """Put items on their ready list whose file was seen to have become ready (``ep_poll_callback()``)."""
    for ep in _sets(kernel):
        for item in ep.items:
            if not item.is_opaque or item in ep.ready or not item.events & ~PRIVATE_BITS:
                continue

            def find(seen: Observed, ep: EventPoll = ep, item: Epitem = item) -> bool:
                waiting = [task for task in kernel.tasks.values() if _waits_in(task, ep)]
                return item.fd in seen.ready(ep, kernel) or any(item.told(seen, task) for task in waiting)

            if kernel.choose(UNSIMULATED, find, lambda _: True, otherwise=False):
                _add_ready(kernel, ep, item)


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


def ep_done_scan(kernel: Kernel, ep: EventPoll, left: list[Epitem]) -> None:
    """Put the items that were not looked at back, before those that became ready meanwhile (``ep_done_scan()``)."""
    ep.ready = left + ep.ready
    if ep.ready and ep.wq.entries:
        wake_up(kernel, ep.wq)


def _waker(kernel: Kernel, item: Epitem) -> Callable[[int], bool]:
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


class _Release:
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
                _add_ready(kernel, ep, item)
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
            if isinstance(action, _Release)
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
    target.on_release.insert(0, _Release(item))
    for queue in target.ops.poll_queues(task, target):
        entry = WaitEntry(None, bool(events & EPOLLEXCLUSIVE), _waker(kernel, item), kind="ep_poll_callback")
        queue.add(entry)
        item.waits.append((queue, entry))
    if item.poll(task):
        _add_ready(kernel, ep, item)


def _add_ready(kernel: Kernel, ep: EventPoll, item: Epitem) -> None:
    if item in ep.ready:
        return
    ep.ready.append(item)
    if ep.wq.entries:
        wake_up(kernel, ep.wq)
    if ep.poll_wait.entries:
        wake_up(kernel, ep.poll_wait, 1, EPOLLIN)


@syscall("epoll_pwait")
def epoll_pwait(task: Task, epfd: int, maxevents: int, timeout: int, sigmask: int | Pointer | None) -> Sleeps[Result]:
    """Wait with another signal mask (``do_epoll_pwait()``)."""
    with UserSigmask(task, sigmask) as mask:
        try:
            answer = yield from epoll_wait(task, epfd, maxevents, timeout)
        except Errno as error:
            if error.name != "EINTR":
                mask.restore()
            raise
        mask.restore()
        return answer


@syscall("epoll_wait")
def epoll_wait(task: Task, epfd: int, maxevents: int, timeout: int) -> Sleeps[Result]:
    """Wait for something to be ready, or only look where *timeout* is 0 (``do_epoll_wait()``, ``ep_poll()``)."""
    if not 0 < maxevents <= EP_MAX_EVENTS and not task.kernel.changes.epoll_wait_fd_first:
        raise Errno("EINVAL")
    with fdget(task, epfd) as file:
        if not 0 < maxevents <= EP_MAX_EVENTS:
            raise Errno("EINVAL")  # ep_check_params()
        if file.ops is not EPOLL_OPS:
            raise Errno("EINVAL")
        ep: EventPoll = file.private
        hear_of_the_unknown(task.kernel)
        available = bool(ep.ready)
        timed_out = timeout == 0
        timer = start(task.kernel, None if timeout < 0 else timeout / 1000)
        while True:
            if available:
                if task.fatal_signal_pending():
                    raise Errno("EINTR")
                found = ep_send_events(task, ep, maxevents)
                if found:
                    break
            if timed_out:
                break
            if task.signal_pending():
                raise Errno("EINTR")
            available = True
            if not ep.ready:
                entry = _waiter(task, ep)
                ep.wq.entries.insert(0, entry)  # __add_wait_queue_exclusive(): at the head
                timed_out = yield from schedule_until(task, timer)
                # One that was woken after its time was up is off the queue and looks once more.
                available = not (timed_out and entry in ep.wq.entries)
                ep.wq.remove(entry)
    events = found if available else ()
    return Result(len(events), None, {} if out_is_bad(task, "events") else {"events": events})


def _waiter(task: Task, ep: EventPoll) -> WaitEntry:
    entry = WaitEntry(task, True, kind="ep_autoremove_wake_function")

    def ep_autoremove_wake_function(key: int) -> bool:
        woke = task.kernel.wake_up_process(task)
        ep.wq.remove(entry)
        return woke

    entry.func = ep_autoremove_wake_function
    return entry


def ep_send_events(task: Task, ep: EventPoll, maxevents: int) -> tuple[dict[str, int], ...]:
    """Hand over what is still ready (``ep_send_events()``)."""
    kernel = task.kernel
    left, ep.ready = ep.ready, []
    found: list[dict[str, int]] = []
    bad = out_is_bad(task, "events")
    while left and len(found) < maxevents:
        item = left.pop(0)
        revents = item.poll(task)
        if not revents:
            continue
        if bad:
            left.insert(0, item)
            ep_done_scan(kernel, ep, left)
            raise Errno("EFAULT")
        found.append({"events": revents, "data": item.data})
        if item.events & EPOLLONESHOT:
            item.events &= PRIVATE_BITS
        elif not item.events & EPOLLET:
            ep.ready.append(item)
    ep_done_scan(kernel, ep, left)
    return tuple(found)
