"""Sleeping for a time (``kernel/time/hrtimer.c``, ``kernel/time/posix-timers.c``)."""

from __future__ import annotations

from typing import Any

from ktrace.include.linux.time64 import NSEC_PER_SEC
from ktrace.model.calls import syscall
from ktrace.model.task import Errno, Task
from ktrace.model.timer import schedule_until, start_or_resume
from ktrace.model.wait import Sleeps
from ktrace.state.call import Pointer
from ktrace.uapi.time import (
    CLOCK_BOOTTIME,
    CLOCK_MONOTONIC,
    CLOCK_MONOTONIC_COARSE,
    CLOCK_MONOTONIC_RAW,
    CLOCK_REALTIME,
    CLOCK_REALTIME_COARSE,
    CLOCK_TAI,
    TIMER_ABSTIME,
)

SLEEPABLE = (CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI)
WITHOUT_NSLEEP = (CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE)
CLOCKS = 12
"""Numbers of clocks from here on belong to nobody (``posix_clocks``)."""


@syscall("nanosleep")
def nanosleep(task: Task, req: Any) -> Sleeps[int]:
    """Sleep by CLOCK_MONOTONIC (``SYSCALL_DEFINE2(nanosleep)``)."""
    return (yield from _hrtimer_nanosleep(task, timespec(req)))


@syscall("clock_nanosleep")
def clock_nanosleep(task: Task, clockid: int, flags: int, req: Any) -> Sleeps[int]:
    """Sleep by some clock (``SYSCALL_DEFINE4(clock_nanosleep)``).

    :raises Errno: EINVAL, EOPNOTSUPP, EFAULT
    :raises NotImplementedError: other clocks
    """
    if clockid >= CLOCKS or clockid == 10:
        raise Errno("EINVAL")
    if clockid in WITHOUT_NSLEEP:
        raise Errno("EOPNOTSUPP")
    if clockid not in SLEEPABLE:
        raise NotImplementedError(f"the model does not know the clock {clockid}")
    seconds = timespec(req)
    until = bool(flags & TIMER_ABSTIME and seconds)
    return (yield from _hrtimer_nanosleep(task, 0.0 if until else seconds, until))


def timespec(req: Any) -> float:
    """Return a ``struct timespec`` in seconds (``get_timespec64()``, ``timespec64_valid()``).

    :raises Errno: EFAULT, EINVAL
    """
    if isinstance(req, Pointer):
        raise Errno("EFAULT")
    if req["tv_sec"] < 0 or not 0 <= req["tv_nsec"] < NSEC_PER_SEC:
        raise Errno("EINVAL")
    return float(req["tv_sec"] + req["tv_nsec"] / NSEC_PER_SEC)


def _hrtimer_nanosleep(task: Task, seconds: float, until: bool = False) -> Sleeps[int]:
    """``kernel/time/hrtimer.c: hrtimer_nanosleep(), do_nanosleep(), hrtimer_nanosleep_restart()``.

    :param until: it is a time of which nobody knows how far away it is
    :raises Errno: ERESTART_RESTARTBLOCK, ERESTARTNOHAND
    """
    timer = start_or_resume(task, seconds)
    if until and timer is not None:
        timer.vague = True
    while not (timer is not None and timer.expired):
        if task.signal_pending():
            if until:
                raise Errno("ERESTARTNOHAND")  # hrtimer_nanosleep(): an absolute time needs no rest
            task.resumed = timer
            raise Errno("ERESTART_RESTARTBLOCK")
        yield from schedule_until(task, timer)
    return 0
