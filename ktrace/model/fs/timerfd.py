"""Timers that are waited for like files (``fs/timerfd.c``): when they end is as observed, what was set is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NoReturn

from ktrace.include.linux.time64 import NSEC_PER_SEC
from ktrace.model.calls import syscall
from ktrace.model.elapsed import Instant, elapsed, this_step
from ktrace.model.fs.anon_files import AnonOperations, anon_inode_getfd, sys_ni_syscall
from ktrace.model.fs.file import File, fdget
from ktrace.model.kernel import Kernel
from ktrace.model.process.clock import LONGEST_UPTIME
from ktrace.model.task import AsObserved, Errno, Task
from ktrace.model.wait import MaySleep, WaitQueue
from ktrace.state.allowed import Between
from ktrace.state.call import Pointer, Result
from ktrace.state.rule import Rule
from ktrace.uapi.fcntl import O_CLOEXEC, O_NONBLOCK, O_RDWR
from ktrace.uapi.time import CLOCK_BOOTTIME, CLOCK_BOOTTIME_ALARM, CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_REALTIME_ALARM
from ktrace.uapi.timerfd import TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET

REMAINING = Rule("fs/timerfd.c", "timerfd_get_remaining", "what is left of a timer when it is asked for")
CLOCKS = (CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME)
ALARMS = (CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM)
LONGEST_UPTIME_NS = LONGEST_UPTIME * NSEC_PER_SEC
SIZEOF_TICKS = 8
"""Bytes that ``timerfd_read()`` gives."""


class TimerfdOperations(AnonOperations):
    """``timerfd_fops``."""

    def read_iter(self, task: Task, file: File, to: Any) -> MaySleep[int]:
        """Read how often it ended: of one that does so once, once (``timerfd_read()``).

        :raises Errno: EINVAL
        """
        if to.count < SIZEOF_TICKS:
            raise Errno("EINVAL")
        raise AsObserved(self.what, held=partial(_ticks, file.private))

    def may_wake(self, kernel: Kernel, file: File) -> bool:
        """Tell whether it may end: one that does so once does so no more (``timerfd_triggered()``)."""
        context: TimerfdCtx = file.private
        if context.value is None or context.interval:
            return True
        late = context.since is None or elapsed(kernel, context.since)[1] >= context.value
        return bool(context.value) and late and not context.ended

    def woke(self, file: File) -> None:
        """Note that it ended."""
        file.private.ended = True


TIMERFD = TimerfdOperations("timerfd", "timerfd_fops")


@dataclass(eq=False)
class TimerfdCtx(WaitQueue):
    """Mirror what was set of a ``struct timerfd_ctx``, with the queue of who waits for it.

    :param interval: ns from one end to the next (``tintv``); 0 for one end
    :param value: ns to its first end, 0 where it is not set, ``None`` where it was set to a time of a clock
    :param since: when it was set
    :param until: the time that it was set to, of which no more than all can be left
    :param cancels: setting the clock may end it, too (TFD_TIMER_CANCEL_ON_SET)
    :param ended: it was seen to end since
    """

    interval: int = 0
    value: int | None = 0
    since: Instant | None = None
    until: int = 0
    cancels: bool = False
    ended: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def set(self, since: Instant, absolute: bool, new: Mapping[str, Mapping[str, int]], result: Result) -> None:
        """Take a new setting, which holds even where the clock was set meanwhile (``timerfd_setup()``)."""
        if result.errno in (None, "ECANCELED"):
            value = _ns(new["it_value"])
            self.interval, self.value = _ns(new["it_interval"]), None if absolute and value else value
            self.until = value
            self.since, self.ended = since, False

    def left(self, kernel: Kernel, seen: Any) -> Any:
        """Return a ``struct itimerspec`` that was seen, held to what was set (``do_timerfd_gettime()``)."""
        if not isinstance(seen, Mapping):
            return seen
        interval = {"tv_sec": self.interval // NSEC_PER_SEC, "tv_nsec": self.interval % NSEC_PER_SEC}
        if self.value and not self.interval and self.since is not None:
            least, most = elapsed(kernel, self.since)
            low, high = max(0, self.value - most), max(0, self.value - least)
            return {"it_interval": interval, "it_value": _between(seen["it_value"], low, high)}
        value = self.until if self.value is None else self.value
        return {"it_interval": interval, "it_value": _up_to(value, self.interval)}


def _between(seen: Mapping[str, int], low: int, high: int) -> dict[str, Any]:
    """Return a ``struct timespec`` from *low* to *high* ns; *seen* is one of them, or *low* stands for them."""
    first, last = divmod(low, NSEC_PER_SEC), divmod(high, NSEC_PER_SEC)
    if not low <= _ns(seen) <= high:
        return {"tv_sec": first[0], "tv_nsec": first[1]}
    if first[0] == last[0]:
        return {"tv_sec": first[0], "tv_nsec": Between(REMAINING, first[1], last[1]) if low < high else first[1]}
    return {
        "tv_sec": Between(REMAINING, first[0], last[0]),
        "tv_nsec": Between(REMAINING, 0, NSEC_PER_SEC - 1),
    }


def _up_to(value: int, interval: int) -> dict[str, Any]:
    """Return the ``struct timespec`` of what may be left of *value*, or of a later *interval*."""
    most = max(value, interval) if value else 0
    seconds, left = divmod(most, NSEC_PER_SEC)
    return {
        "tv_sec": Between(REMAINING, 0, seconds) if seconds else 0,
        "tv_nsec": Between(REMAINING, 0, NSEC_PER_SEC - 1 if seconds else left) if most else 0,
    }


def _ns(time: Mapping[str, int]) -> int:
    return time["tv_sec"] * NSEC_PER_SEC + time["tv_nsec"]


def _ticks(context: TimerfdCtx, seen: Result) -> Result:
    if seen.errno == "ECANCELED" and not context.cancels:
        return replace(seen, errno="EAGAIN")
    ticks = int.from_bytes(seen.out.get("buf", b""), "little")
    if seen.errno is not None or (context.interval and 0 < ticks <= LONGEST_UPTIME_NS // context.interval):
        return seen
    return replace(seen, out={**seen.out, "buf": (1).to_bytes(SIZEOF_TICKS, "little")} if "buf" in seen.out else {})


@syscall("timerfd_create")
def timerfd_create(task: Task, clockid: int, flags: int) -> int:
    """Make a timer to wait on (``SYSCALL_DEFINE2(timerfd_create)``).

    :raises Errno: EINVAL, EPERM, EMFILE
    """
    sys_ni_syscall(task)
    if flags & ~(O_CLOEXEC | O_NONBLOCK) or clockid not in (*CLOCKS, *ALARMS):
        raise Errno("EINVAL")
    if clockid in ALARMS and not task.cred.capable("CAP_WAKE_ALARM"):
        raise Errno("EPERM")
    return anon_inode_getfd(task, TIMERFD, O_RDWR | flags, TimerfdCtx())


@syscall("timerfd_settime")
def timerfd_settime(task: Task, fd: int, flags: int, new_value: Any) -> NoReturn:
    """Start or stop it (``do_timerfd_settime()``): as observed, what it was set to before is known.

    :raises Errno: EFAULT, EBADF, EINVAL
    """
    sys_ni_syscall(task)
    if isinstance(new_value, Pointer):
        raise Errno("EFAULT")  # get_itimerspec64() comes first
    context = _context(task, fd)
    before = TimerfdCtx(context.interval, context.value, context.since, context.until)
    context.cancels |= bool(flags & TFD_TIMER_CANCEL_ON_SET)
    set_new = partial(context.set, this_step(task.kernel), bool(flags & TFD_TIMER_ABSTIME), new_value)
    raise AsObserved(TIMERFD.what, done=set_new, held=partial(_held, task.kernel, before, "old_value"))


@syscall("timerfd_gettime")
def timerfd_gettime(task: Task, fd: int) -> NoReturn:
    """Tell how long it has (``do_timerfd_gettime()``): as observed, up to what it was set to."""
    sys_ni_syscall(task)
    raise AsObserved(TIMERFD.what, held=partial(_held, task.kernel, _context(task, fd), "curr_value"))


def _context(task: Task, fd: int) -> TimerfdCtx:
    with fdget(task, fd) as file:
        if file.ops is not TIMERFD:
            raise Errno("EINVAL")
        context: TimerfdCtx = file.private
    return context


def _held(kernel: Kernel, context: TimerfdCtx, name: str, seen: Result) -> Result:
    if name not in seen.out:
        return seen
    return replace(seen, out={**seen.out, name: context.left(kernel, seen.out[name])})
