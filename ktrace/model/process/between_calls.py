"""What tasks of a program do between their calls: stop behind one, leave it, meet signals, end, and are waited for.

``kernel/ptrace.c``, ``kernel/entry/common.c``
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ktrace.model.calls import Answer
from ktrace.model.process.traced import Traced, force_sig, is_of_timer, met_in_user_mode, notify_parent
from ktrace.model.signal import get_signal
from ktrace.model.task import Task
from ktrace.model.wait import Sleeps
from ktrace.state.call import Completed, Result, Signalled
from ktrace.state.rule import Rule

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel
    from ktrace.model.observed import Observed

RESTARTS = frozenset({"ERESTARTSYS", "ERESTARTNOINTR", "ERESTARTNOHAND", "ERESTART_RESTARTBLOCK"})
INTERRUPTED = RESTARTS | {"EINTR"}
TIMER_SIGNAL = Rule("kernel/time/posix-timers.c", "posix_timer_event", "when a timer of a program sends its signal")


def stop_at_exit(kernel: Kernel, task: Task, program: Traced, answer: Answer) -> None:
    """Have a task that is traced stop behind its call (``ptrace_report_syscall_exit()``)."""
    result = answer if isinstance(answer, Result) else Result(answer)
    program.called = task.call if result.errno == "ERESTART_RESTARTBLOCK" else None
    if program.called is None:
        task.resumed = None
    task.call = task.running = None
    program.at_exit = True
    kernel.note(Completed(task.name, result))


def reap(kernel: Kernel, ended: list[tuple[Task, int]]) -> bool:
    """Have the agent wait for one of the program that has ended (``wait_task_zombie()``: EXIT_TRACE)."""
    if not ended:
        return False
    notify_parent(kernel, *ended.pop(0))
    return True


def leave(kernel: Kernel) -> bool:
    """Let the first task that stands at the exit of a call go on to user mode."""
    task = next((task for task in kernel.tasks.values() if task.program is not None and task.program.at_exit), None)
    if task is None or task.program is None:
        return False
    task.program.at_exit = False
    kernel.run_next(task, to_user_mode(kernel, task))
    return True


def meet_signals(kernel: Kernel) -> bool:
    """Have a task that was in user mode meet what came to it there."""
    for task in kernel.tasks.values():
        if task.program is None or task.running is not None or task.program.at_exit:
            continue
        if (item := met_in_user_mode(kernel, task, kernel.signals_met(task))) is not None:
            force_sig(task, task.program, item)
            kernel.run_next(task, _get_signal(kernel, task))
            return True
    return False


def timers_end_sleeps(kernel: Kernel, early: bool) -> bool:
    """Have a timer of a program's send the signal that a task was seen to meet behind a call in which it slept.

    :param early: only where that ended the call, whatever else happens in the step
    """
    found = False
    for task in kernel.tasks.values():
        if task.program is None or not task.program.timer_signals or not task.sleeping:
            continue
        number = kernel.signals_met(task)

        def find(seen: Observed, task: Task = task, number: int = number) -> Signalled | None:
            return seen.signal(task, number) if not early or seen.errno(task) in INTERRUPTED else None

        item = kernel.choose(TIMER_SIGNAL, find, partial(is_of_timer, task), None)
        if item is not None:
            kernel.send_signal(task, item.signal, code=item.code, thread=True)
            found = True
    return found


def to_user_mode(kernel: Kernel, task: Task) -> Sleeps[None]:
    """Leave the kernel, meeting what waits at the way out (``exit_to_user_mode_loop()``)."""
    yield from kernel.run_task_works(task)
    yield from get_signal(kernel, task)


def _get_signal(kernel: Kernel, task: Task) -> Sleeps[None]:
    yield from get_signal(kernel, task)
