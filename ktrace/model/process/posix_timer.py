"""Timers of a program that send it signals: when they do is only seen (``kernel/time/posix-timers.c``)."""

from __future__ import annotations

from typing import Any

from ktrace.model.calls import syscall
from ktrace.model.task import Errno, Task
from ktrace.state.call import Pointer, Result
from ktrace.state.rule import Rule
from ktrace.uapi.siginfo import SI_TIMER, SIGEV_NONE
from ktrace.uapi.signal import SIGALRM, SIGRTMAX, signal_name

TIMERS = Rule("kernel/time/posix-timers.c", "do_timer_create", "numbers of timers, and what is left of their times")


def _seen(task: Task) -> Result:
    """Return what the call was seen to answer.

    :raises Errno: it failed
    """
    seen = task.kernel.choose(TIMERS, lambda seen: seen.result(task), lambda _: True, None)
    if seen is None:
        raise NotImplementedError("the model does not know timers of who is no program")
    if seen.errno is not None:
        raise Errno(seen.errno)
    return seen


@syscall("timer_create")
def timer_create(task: Task, clockid: int, sevp: Any) -> Result:
    """Make a timer (``do_timer_create()``); SIGALRM is what it sends where nothing is said."""
    seen = _seen(task)
    if task.program is not None:
        for number in seen.out.get("timerid", ()):
            task.program.timers[number] = _signal_of(sevp)
    return seen


def _signal_of(sevp: Any) -> str | None:
    """Return what a timer sends (``good_sigevent()``)."""
    if sevp is None or isinstance(sevp, Pointer):
        return signal_name(SIGALRM)
    signo = sevp["sigev_signo"]
    return None if sevp["sigev_notify"] == SIGEV_NONE or not 0 < signo <= SIGRTMAX else signal_name(signo)


@syscall("timer_settime")
def timer_settime(task: Task, timerid: int, flags: int, new_value: Any) -> Result:
    """Start or stop a timer (``do_timer_settime()``): its signal may come from then on."""
    seen = _seen(task)
    if task.program is not None and not isinstance(new_value, Pointer) and any(new_value["it_value"].values()):
        signal = task.program.timers.get(timerid)
        if signal is not None:
            task.program.timer_signals.add((signal, SI_TIMER))
    return seen
