"""Sleeping for a limited time (``kernel/time/hrtimer.c``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ktrace.include.linux.time64 import NSEC_PER_SEC
from ktrace.model.wait import Sleeps

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel
    from ktrace.model.task import Task

HZ = 250
"""Jiffies a second (CONFIG_HZ)."""
TICK_NSEC = NSEC_PER_SEC // HZ
"""``include/linux/jiffies.h``: what CLOCK_REALTIME_COARSE goes on by."""


@dataclass(eq=False)
class Timer:
    """A timer that ends a sleep.

    :param armed: seconds of the guest's clock around the step that armed it
    :param timeout: seconds
    :param vague: nobody knows how many more they may be
    """

    armed: tuple[int, int]
    timeout: float
    expired: bool = False
    vague: bool = False

    def may_expire(self, clock: tuple[int, int]) -> bool:
        """Tell whether it can have expired by the end of a step; the clock is known to the second."""
        return clock[1] + 1 - self.armed[0] >= self.timeout

    def may_fire_in(self, clock: tuple[int, int]) -> Callable[[bool], bool]:
        """Return what tells whether it is allowed that it fired, or that it did not."""
        return lambda fired: not fired or self.may_expire(clock)

    def must_expire(self, clock: tuple[int, int]) -> bool:
        """Tell whether it must have expired before a step began."""
        return not self.vague and clock[0] - 1 - self.armed[1] > self.timeout


def start(kernel: Kernel, timeout: float | None) -> Timer | None:
    """Return a timer of *timeout* seconds from now on, ``None`` for ever."""
    return None if timeout is None else Timer(kernel.clock, timeout)


def start_or_resume(task: Task, timeout: float | None) -> Timer | None:
    """Return a timer as :func:`start` does; the one that ran on where a stop interrupted the call.

    A call with a timeout is started again with what is left of it: ``fs/select.c: do_restart_poll()``,
    ``poll_select_finish()``, which writes that into the caller's memory.
    """
    timer, task.resumed = task.resumed or start(task.kernel, timeout), None
    return timer


def schedule_timeout(task: Task, timeout: float | None) -> Sleeps[bool]:
    """Sleep until woken, or for *timeout* seconds; tell whether time ended it (``schedule_hrtimeout_range()``)."""
    return (yield from schedule_until(task, start(task.kernel, timeout)))


def schedule_until(task: Task, timer: Timer | None) -> Sleeps[bool]:
    """Sleep until woken or until *timer* ends, which may run since an earlier sleep; tell whether it did."""
    if timer is None:
        yield
        return False
    task.timer = timer
    yield
    task.timer = None
    return timer.expired
