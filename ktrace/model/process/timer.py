"""Timers that fire (``kernel/time/hrtimer.c``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktrace.model.kernel import Kernel
from ktrace.model.net.inet.tcp.sock import Tcp
from ktrace.model.task import Task
from ktrace.model.timer import Timer
from ktrace.state.rule import Rule

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

HRTIMER = Rule("kernel/time/hrtimer.c", "hrtimer_wakeup", "at any time after the timer's")
GIVEN_UP = ("EAGAIN", "ETIMEDOUT", "EINPROGRESS")
ZERO_IN_TIME = frozenset(
    ["clock_nanosleep", "epoll_pwait", "epoll_pwait2", "epoll_wait", "nanosleep", "poll", "ppoll", "pselect6", "select"]
)
"""Calls that return 0 when their time is up; of others that is an end of file."""


def expire_early(kernel: Kernel) -> None:
    """Wake the sleepers whose timer fired before the step: those that timed out before the step's actor returned."""

    for task, timer in _armed(kernel):

        def find(seen: Observed, task: Task = task) -> bool | None:
            result = seen.result(task) if task.name in seen.returned_first() else None
            if result is None or task.call is None:
                return None
            return True if result.errno in GIVEN_UP or (not result.value and task.call.name in ZERO_IN_TIME) else None

        if kernel.choose(HRTIMER, find, timer.may_fire_in(kernel.clock), otherwise=False):
            timer.expired = True
            kernel.wake_up_process(task)


def expire_timers(kernel: Kernel) -> None:
    """Wake whose time is up.

    When exactly a timer fires, between two looks at the guest, only the guest knows: an actor that was
    seen to return, and that nothing else wakes, was woken by its timer, if that was possible by then.
    """
    clock = kernel.clock
    for task, timer in _armed(kernel):

        def find(seen: Observed, task: Task = task) -> bool:
            return seen.returned(task) or seen.left_since_report(task)

        expired = kernel.choose(HRTIMER, find, timer.may_fire_in(clock), otherwise=False)
        if expired or timer.must_expire(clock):
            timer.expired = True
            kernel.wake_up_process(task)


def _armed(kernel: Kernel) -> list[tuple[Task, Timer]]:
    """Return the tasks that sleep with a timer, the first to expire first."""
    sleepers = [(task, task.timer) for task in kernel.tasks.values() if task.sleeping and task.timer is not None]
    return sorted(sleepers, key=lambda item: item[1].timeout + item[1].armed[0])


def clock_was_set(kernel: Kernel, seconds: int) -> None:
    """Leave running timers alone when the clock is set: they run by CLOCK_MONOTONIC, or by jiffies."""
    before = kernel.clock[0]
    kernel.clock_set += 1
    # It was at most a second after the look at it.
    by = seconds - before - 1, seconds - before
    for task in kernel.tasks.values():
        for timer in (task.timer, task.it_real.timer if task.it_real is not None else None):
            if timer is None:
                continue
            timer.armed = timer.armed[0] + by[0], timer.armed[1] + by[1]
    kernel.net.inet.bhash.clock_was_set(by)
    for socket in kernel.net.sockets.values():
        for request in socket.sk.requests if isinstance(socket.sk, Tcp) else ():
            if request.timer is not None:
                request.timer.armed = request.timer.armed[0] + by[0], request.timer.armed[1] + by[1]
