"""Guest time that passes (``kernel/time/hrtimer.c``)."""

from __future__ import annotations

from ktrace.model.calls import operation
from ktrace.model.kernel import Kernel
from ktrace.model.process.itimer import it_real_fn
from ktrace.model.timer import Timer
from ktrace.state.rule import Rule

WAIT = Rule("kernel/time/hrtimer.c", "hrtimer_nanosleep", "how long the agent waits for something to happen")
TICKS = 20
"""Milliseconds that a timer may be late by: a few ticks, where the guest has no better clock."""


@operation("wait")
def wait(kernel: Kernel, milliseconds: int) -> None:
    """Let guest time pass, until something happens to an actor or *milliseconds* are over.

    Where nothing happened all of them are over, and so is every timer that was to be shorter.
    """
    if kernel.choose(WAIT, lambda seen: seen.happened, lambda happened: True, otherwise=False):
        return
    for task in list(kernel.tasks.values()):
        if _over(task.timer, milliseconds):
            assert task.timer is not None
            task.timer.expired = True
            kernel.wake_up_process(task)
        if task.it_real is not None and _over(task.it_real.timer, milliseconds):
            it_real_fn(kernel, task)


def _over(timer: Timer | None, milliseconds: int) -> bool:
    return timer is not None and not timer.vague and timer.timeout * 1000 + TICKS <= milliseconds
