"""The timer by the clock on the wall that ends with SIGALRM (``kernel/time/itimer.c``, ``kernel/signal.c``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ktrace.include.linux.time64 import NSEC_PER_SEC
from ktrace.model.calls import syscall
from ktrace.model.elapsed import Instant, elapsed, this_step
from ktrace.model.kernel import Kernel
from ktrace.model.mm.iov import out_is_bad
from ktrace.model.process.timer import HRTIMER
from ktrace.model.task import Errno, Task
from ktrace.model.timer import Timer
from ktrace.state.call import Pointer, Result
from ktrace.state.rule import Rule
from ktrace.uapi.siginfo import SI_KERNEL
from ktrace.uapi.time import ITIMER_PROF, ITIMER_REAL, ITIMER_VIRTUAL

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

REMAINING = Rule("kernel/time/itimer.c", "itimer_get_remtime", "what is left of a timer when it is asked for")
CPU_SIGNALS = {ITIMER_VIRTUAL: "SIGVTALRM", ITIMER_PROF: "SIGPROF"}
"""Of timers by the time that a process has run (``kernel/time/posix-cpu-timers.c: check_process_timers()``)."""
USEC_PER_SEC = 1_000_000
NSEC_PER_USEC = 1000
ITIMERVAL = 32
"""Bytes of a ``struct __kernel_old_itimerval``."""
NOTHING: Mapping[str, Mapping[str, int]] = {
    "it_interval": {"tv_sec": 0, "tv_usec": 0},
    "it_value": {"tv_sec": 0, "tv_usec": 0},
}


@dataclass(eq=False)
class RealTimer:
    """Mirror ``signal->real_timer``.

    :param timer: until it ends the next time
    :param interval: microseconds from one end to the next (``it_real_incr``); 0 for one end
    :param since: when it was started, ``None`` where it started itself again
    """

    timer: Timer
    interval: int = 0
    since: Instant | None = None


@syscall("getitimer")
def getitimer(task: Task, which: int) -> Result:
    """Tell how long a timer has (``do_getitimer()``).

    :raises Errno: EINVAL, EFAULT
    """
    value = _get(task, which, "curr_value")
    if out_is_bad(task, "curr_value", ITIMERVAL):
        raise Errno("EFAULT")
    return Result(0, None, {} if _pointed(task, "curr_value") else {"curr_value": value})


@syscall("setitimer")
def setitimer(task: Task, which: int, new_value: Any) -> Result:
    """Start or stop a timer (``do_setitimer()``).

    :raises Errno: EFAULT, EINVAL
    """
    value, interval = 0, 0
    if isinstance(new_value, Pointer):
        raise Errno("EFAULT")
    if new_value is not None:
        value, interval = _usec(new_value["it_value"]), _usec(new_value["it_interval"])
    old = _get(task, which, "old_value")
    if which != ITIMER_REAL and value:
        if task.program is None:
            raise NotImplementedError("the model does not know timers by the time that a process has run")
        task.program.timer_signals.add((CPU_SIGNALS[which], SI_KERNEL))
    if which == ITIMER_REAL:
        _start(task, value, interval)
    pointer = task.call.pointers.get("old_value") if task.call is not None else None
    if pointer is not None and pointer.value and out_is_bad(task, "old_value", ITIMERVAL):
        raise Errno("EFAULT")
    return Result(0, None, {} if pointer is not None else {"old_value": old})


@syscall("alarm")
def alarm(task: Task, seconds: int) -> int:
    """Have SIGALRM come after some seconds, and tell what was left before (``alarm_setitimer()``)."""
    low, high = _left(task)

    def allowed(told: int) -> bool:
        if not told:
            return task.it_real is not None and _may_have_ended(task, task.it_real)
        return _seconds(low) <= told <= _seconds(high)

    def find(seen: Observed) -> int | None:
        result = seen.result(task)
        return result.value if result is not None and high else None

    answer = task.kernel.choose(REMAINING, find, allowed, -(-low // USEC_PER_SEC))
    if not answer and task.it_real is not None:
        it_real_fn(task.kernel, task)
    _start(task, (seconds & 0xFFFFFFFF) * USEC_PER_SEC, 0)
    return answer


def _usec(value: Mapping[str, int]) -> int:
    """Return a ``struct timeval`` in microseconds (``get_itimerval()``).

    :raises Errno: EINVAL
    """
    if value["tv_sec"] < 0 or not 0 <= value["tv_usec"] < USEC_PER_SEC:
        raise Errno("EINVAL")
    return value["tv_sec"] * USEC_PER_SEC + value["tv_usec"]


def _pointed(task: Task, name: str) -> bool:
    return task.call is not None and name in task.call.pointers


def _start(task: Task, value: int, interval: int) -> None:
    kernel = task.kernel
    timer = Timer(kernel.clock, value / USEC_PER_SEC)
    task.it_real = RealTimer(timer, interval, this_step(kernel)) if value else None


def _left(task: Task) -> tuple[int, int]:
    """Return between what a running timer has left, in microseconds; 0 and 0 where none runs."""
    if task.it_real is None:
        return 0, 0
    timer, (before, after) = task.it_real.timer, task.kernel.clock
    whole = int(timer.timeout * USEC_PER_SEC)
    low = whole - (after + 1 - timer.armed[0]) * USEC_PER_SEC
    high = whole - max(0, before - 1 - timer.armed[1]) * USEC_PER_SEC
    if (since := task.it_real.since) is not None:
        least, most = elapsed(task.kernel, since)
        low, high = max(low, whole - most // NSEC_PER_USEC - 1), min(high, whole - least // NSEC_PER_USEC)
    return max(1, low), max(1, high)


def _seconds(usec: int) -> int:
    """Return what alarm() makes of what is left: rounded, but never to nothing (``alarm_setitimer()``)."""
    seconds, left = divmod(usec, USEC_PER_SEC)
    return seconds + (left >= USEC_PER_SEC // 2 or (not seconds and left > 0))


def _may_have_ended(task: Task, running: RealTimer) -> bool:
    """Tell whether its time may be up: its signal was ignored, or is blocked."""
    if running.since is not None:
        whole = int(running.timer.timeout * NSEC_PER_SEC)
        return elapsed(task.kernel, running.since)[1] >= whole
    return running.timer.may_expire(task.kernel.clock)


def _get(task: Task, which: int, name: str) -> Mapping[str, Any]:
    """``do_getitimer()``: what is left is known as well as the clock is."""
    if which not in (ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF):
        raise Errno("EINVAL")
    if task.program is not None and (CPU_SIGNALS.get(which), SI_KERNEL) in task.program.timer_signals:
        return task.kernel.choose(REMAINING, lambda seen: seen.out(task, name), lambda _: True, NOTHING)
    running = task.it_real if which == ITIMER_REAL else None
    if running is None:
        return NOTHING
    low, high = _left(task)

    def find(seen: Observed) -> Any:
        return seen.out(task, name)

    def allowed(found: Any) -> bool:
        interval = found["it_interval"]
        left = found["it_value"]["tv_sec"] * USEC_PER_SEC + found["it_value"]["tv_usec"]
        if not left:
            return _may_have_ended(task, running)
        same: bool = interval["tv_sec"] * USEC_PER_SEC + interval["tv_usec"] == running.interval
        return same and low <= left <= high

    told: Mapping[str, Any] = task.kernel.choose(REMAINING, find, allowed, {**NOTHING, "it_value": _timeval(low)})
    if not any(told["it_value"].values()):
        it_real_fn(task.kernel, task)
    return told


def _timeval(usec: int) -> Mapping[str, int]:
    return {"tv_sec": usec // USEC_PER_SEC, "tv_usec": usec % USEC_PER_SEC}


def expire_itimers(kernel: Kernel, early: bool) -> None:
    """Send SIGALRM to whose timer ended (``it_real_fn()``): as often as was seen, if that is possible.

    :param early: before the step's actor returned
    """
    for task in list(kernel.tasks.values()):
        while (running := task.it_real) is not None:

            def find(seen: Observed, task: Task = task) -> bool:
                return seen.alarms(task, early) > task.alarms

            def behind(seen: Observed, task: Task = task) -> bool:
                return seen.left_since_report(task) and not task.alarms_owed

            may_fire = running.timer.may_fire_in(kernel.clock)
            fired = kernel.choose(HRTIMER, find, may_fire, otherwise=False)
            if not fired and not early and task.program is not None and task.sleeping and task.timer is None:
                # It ended behind the report: the next one tells of it.
                fired = kernel.choose(HRTIMER, behind, may_fire, otherwise=False)
                task.alarms_owed += fired
            if not fired and not running.timer.must_expire(kernel.clock):
                break
            it_real_fn(kernel, task)


def it_real_fn(kernel: Kernel, task: Task) -> None:
    """End a timer; one with an interval goes on once its signal is taken (``dequeue_signal()``)."""
    running = task.it_real
    assert running is not None
    task.alarms += 1
    kernel.send_signal(task, "SIGALRM", code=SI_KERNEL)
    taken = "SIGALRM" not in task.blocked and task.disposition("SIGALRM") != "ignore"
    if running.interval and "SIGALRM" in task.blocked:
        raise NotImplementedError("the model does not know when a timer goes on whose SIGALRM is blocked")
    if not running.interval or not taken:
        task.it_real = None
        return
    ended = running.timer.armed[0] + int(running.timer.timeout), kernel.clock[1]
    running.timer, running.since = Timer(ended, running.interval / USEC_PER_SEC), None
