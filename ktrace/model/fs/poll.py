"""Waiting for descriptors to become ready (``fs/select.c``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ktrace.include.linux.types import u32
from ktrace.model.calls import syscall
from ktrace.model.fs.file import File, fdget, fput
from ktrace.model.mm.iov import access_ok
from ktrace.model.task import Errno, Task, mask_names
from ktrace.model.timer import Timer, schedule_until, start_or_resume
from ktrace.model.wait import Sleeps, WaitEntry, WaitQueue
from ktrace.state.call import Pointer, Result
from ktrace.uapi.eventpoll import (
    EPOLLERR,
    EPOLLHUP,
    EPOLLIN,
    EPOLLNVAL,
    EPOLLOUT,
    EPOLLPRI,
    EPOLLRDBAND,
    EPOLLRDNORM,
    EPOLLWRBAND,
    EPOLLWRNORM,
)

POLLIN_SET = EPOLLRDNORM | EPOLLRDBAND | EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLNVAL
POLLOUT_SET = EPOLLWRBAND | EPOLLWRNORM | EPOLLOUT | EPOLLERR | EPOLLNVAL
POLLEX_SET = EPOLLPRI | EPOLLNVAL


class PollTable:
    """Mirror a ``struct poll_wqueues``: where one task waits while it polls.

    :ivar triggered: whether any queue woke it since it last looked
    """

    def __init__(self, task: Task) -> None:
        self.kernel = task.kernel
        self.task = task
        self.triggered = False
        self.registering = True
        self._entries: list[tuple[File, WaitQueue, WaitEntry]] = []

    def poll(self, file: File, key: int) -> int:
        """Ask *file*, after queueing on its queues for what *key* names (``vfs_poll()``, ``__pollwait()``)."""
        if self.registering:
            for queue in file.ops.poll_queues(self.task, file):
                file.count += 1
                entry = WaitEntry(self.task, func=self._waker(key), kind="pollwake")
                queue.add(entry)
                self._entries.append((file, queue, entry))
        self.task.poll_key = key
        return file.ops.poll(self.task, file)

    def _waker(self, wanted: int) -> Callable[[int], bool]:
        def pollwake(key: int) -> bool:
            if key and not key & wanted:
                return False
            self.triggered = True
            return self.kernel.wake_up_process(self.task)

        return pollwake

    def schedule(self, timer: Timer | None) -> Sleeps[bool]:
        """Sleep unless something happened since; tell whether time ended it (``poll_schedule_timeout()``)."""
        timed_out = False
        if not self.triggered and not self.task.signal_pending():
            timed_out = yield from schedule_until(self.task, timer)
        self.triggered = False
        return timed_out

    def free(self) -> None:
        """Leave all queues (``poll_freewait()``)."""
        for file, queue, entry in self._entries:
            queue.remove(entry)
            fput(self.task, file)


@syscall("poll")
def poll(task: Task, fds: Any, timeout: int, nfds: int) -> Sleeps[Result]:
    """Wait for descriptors, or only look where *timeout* is 0 (``do_sys_poll()``)."""
    seconds = None if timeout < 0 else timeout / 1000
    return (yield from _do_sys_poll(task, fds, nfds, seconds, "ERESTART_RESTARTBLOCK"))


@syscall("ppoll")
def ppoll(task: Task, fds: Any, timeout: Any, sigmask: int | Pointer | None, nfds: int) -> Sleeps[Result]:
    """Wait with another signal mask (``fs/select.c``: ppoll)."""
    seconds = _seconds(timeout, "tv_nsec")
    with UserSigmask(task, sigmask) as mask:
        answer = yield from _do_sys_poll(task, fds, nfds, seconds, "ERESTARTNOHAND")
        mask.restore()
        return answer


@syscall("select")
def select(task: Task, nfds: int, readfds: Any, writefds: Any, exceptfds: Any, timeout: Any) -> Sleeps[Result]:
    """Wait for sets of descriptors (``kern_select()``)."""
    negative = isinstance(timeout, Mapping) and min(timeout["tv_sec"], timeout["tv_usec"]) < 0
    if negative and task.kernel.changes.select_negative:
        raise Errno("EINVAL")
    seconds = _seconds(timeout, "tv_usec")
    return (yield from _core_sys_select(task, nfds, readfds, writefds, exceptfds, seconds))


@syscall("pselect6")
def pselect6(
    task: Task,
    nfds: int,
    readfds: Any,
    writefds: Any,
    exceptfds: Any,
    timeout: Any,
    sigmask: int | Pointer | None = None,
) -> Sleeps[Result]:
    """Wait for sets of descriptors with another signal mask (``do_pselect()``)."""
    seconds = _seconds(timeout, "tv_nsec")
    with UserSigmask(task, sigmask) as mask:
        answer = yield from _core_sys_select(task, nfds, readfds, writefds, exceptfds, seconds)
        mask.restore()
        return answer


def _seconds(timeout: Any, small: str) -> float | None:
    """Return a ``struct timespec`` or ``timeval`` in seconds, ``None`` without one (``poll_select_set_timeout()``).

    :raises Errno: EFAULT, or EINVAL for what is no time
    """
    if isinstance(timeout, Pointer):
        if timeout.value:
            raise Errno("EFAULT")
        return None
    if timeout is None:
        return None
    seconds, part, unit = timeout["tv_sec"], timeout[small], 10**6 if small == "tv_usec" else 10**9
    if small == "tv_usec":
        # kern_select() carries over; C's division goes towards zero.
        carry = abs(part) // unit * (1 if part >= 0 else -1)
        seconds, part = seconds + carry, part - carry * unit
    if seconds < 0 or not 0 <= part < unit:
        raise Errno("EINVAL")
    return float(seconds + part / unit)


class UserSigmask:
    """Keep another signal mask during a call (``set_user_sigmask()``).

    :raises Errno: EFAULT
    """

    def __init__(self, task: Task, mask: int | Pointer | None) -> None:
        if isinstance(mask, Pointer):
            raise Errno("EFAULT")
        self.task = task
        self.mask = mask
        self.saved = task.blocked

    def __enter__(self) -> UserSigmask:
        if self.mask is not None:
            self.task.blocked = mask_names(self.mask)
        return self

    def restore(self) -> None:
        """Go back to the caller's own mask."""
        self.task.blocked = self.saved

    def __exit__(self, *error: object) -> None:
        # After -ERESTARTNOHAND the signal is delivered before the mask is restored: handlers run first.
        if self.task.signal_pending():
            self.task.saved_mask = self.saved
        else:
            self.restore()


def _do_sys_poll(task: Task, fds: Any, nfds: int, timeout: float | None, interrupted: str) -> Sleeps[Result]:
    if u32(nfds) > task.rlimit_nofile:
        raise Errno("EINVAL")
    if isinstance(fds, Pointer) and nfds:
        raise Errno("EFAULT")
    table = PollTable(task)
    timed_out = timeout == 0
    table.registering = not timed_out
    timer = start_or_resume(task, timeout)
    asked = (*fds[:nfds], *[{"fd": 0, "events": 0}] * (nfds - len(fds))) if nfds else ()
    try:
        while True:
            revents = tuple([_do_pollfd(task, table, item["fd"], item["events"]) for item in asked])
            table.registering = False
            count = sum(1 for mask in revents if mask)
            if count:
                break
            if task.signal_pending():
                _check_array(fds)
                task.resumed = timer
                raise Errno(interrupted)
            if timed_out:
                break
            timed_out = yield from table.schedule(timer)
    finally:
        table.free()
    _check_array(fds)
    return Result(count, None, {} if isinstance(fds, Pointer) else {"revents": revents})


def _check_array(fds: Any) -> None:
    """Refuse an address of the kernel's for an array of nothing, once the wait is over (``user_write_access_begin()``).

    :raises Errno: EFAULT
    """
    if isinstance(fds, Pointer):
        access_ok(fds, 0)


def _do_pollfd(task: Task, table: PollTable, fd: int, events: int) -> int:
    """``fs/select.c: do_pollfd()``."""
    if fd & 0x80000000 or fd < 0:
        return 0
    wanted = events & 0xFFFF | EPOLLERR | EPOLLHUP
    try:
        with fdget(task, fd) as file:
            mask = table.poll(file, wanted) & wanted
    except Errno:
        mask = EPOLLNVAL
    if mask:
        table.registering = False
    return mask


def _core_sys_select(
    task: Task, nfds: int, readfds: Any, writefds: Any, exceptfds: Any, timeout: float | None
) -> Sleeps[Result]:
    if nfds < 0:
        raise Errno("EINVAL")
    sets = (readfds, writefds, exceptfds)
    if any(isinstance(item, Pointer) and item.value for item in sets):
        raise Errno("EFAULT")
    nfds = min(nfds, task.files.max_fds)
    wanted = [_below(item, nfds) for item in sets]
    everything = sorted(set().union(*wanted))
    opened = task.files.slots.keys() | task.files.reserved.keys()
    if not opened >= set(everything):
        raise Errno("EBADF")
    table = PollTable(task)
    timed_out = timeout == 0
    table.registering = not timed_out
    timer = start_or_resume(task, timeout)
    try:
        while True:
            found = _select_once(task, table, everything, wanted)
            table.registering = False
            count = sum(map(len, found))
            if count or timed_out or task.signal_pending():
                break
            timed_out = yield from table.schedule(timer)
    finally:
        table.free()
    if not count and task.signal_pending():
        task.resumed = timer
        raise Errno("ERESTARTNOHAND")
    names = ("readfds", "writefds", "exceptfds")
    # set_fd_set() writes whole words; what lies beyond them stays as it was.
    end = nfds + 63 & ~63
    out = {
        name: tuple(have + [fd for fd in sorted(item) if fd >= end])
        for name, item, have in zip(names, sets, found, strict=True)
        if item is not None and not isinstance(item, Pointer)
    }
    return Result(count, None, out)


def _below(fds: Iterable[int] | None, limit: int) -> set[int]:
    return set() if fds is None or isinstance(fds, Pointer) else {fd for fd in fds if fd < limit}


def _select_once(task: Task, table: PollTable, everything: list[int], wanted: list[set[int]]) -> list[list[int]]:
    """Ask every descriptor once, in ascending order (``do_select()``, the loop's body)."""
    found: list[list[int]] = [[], [], []]
    for fd in everything:
        key = POLLEX_SET
        key |= POLLIN_SET if fd in wanted[0] else 0
        key |= POLLOUT_SET if fd in wanted[1] else 0
        try:
            with fdget(task, fd) as file:
                mask = table.poll(file, key)
        except Errno:
            mask = EPOLLNVAL
        for bits, asked, have in zip((POLLIN_SET, POLLOUT_SET, POLLEX_SET), wanted, found, strict=True):
            if mask & bits and fd in asked:
                have.append(fd)
                table.registering = False
    return found
