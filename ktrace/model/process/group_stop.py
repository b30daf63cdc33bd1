"""Stops of programs by a signal, and how they go on (``kernel/signal.c``, ``kernel/ptrace.c``).

Whoever is to stop tells the agent, which lets it lie (PTRACE_LISTEN) until SIGCONT makes it tell that, too. The parent
hears of the process as of one that nobody traces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktrace.model.process.traced import Traced
from ktrace.model.task import STOPS, Task
from ktrace.model.wait import Sleeps, wake_up
from ktrace.uapi.siginfo import CLD_CONTINUED, CLD_STOPPED
from ktrace.uapi.signal import SA_NOCLDSTOP, SIG_IGN, signal_number

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel


def prepare_signal(kernel: Kernel, program: Traced, signal: str) -> None:
    """Have a stop and a continuation of a process cancel each other (``prepare_signal()``)."""
    other = {"SIGCONT"} if signal in STOPS else STOPS if signal == "SIGCONT" else frozenset()
    for task in program.threads if other else ():
        task.dequeue([item for item in (*task.pending, *task.shared_pending) if item.signal in other])
    if signal != "SIGCONT":
        return
    for task in program.threads:
        assert task.program is not None
        task.program.jobctl.clear_stop()
        _trap_notify(kernel, task, task.program)
    stop = program.stop
    why = CLD_CONTINUED if stop.stopped else CLD_STOPPED if stop.count else 0
    if why:
        stop.set_flags(continued=True, cld=why)
        stop.count = stop.code = 0


def _trap_notify(kernel: Kernel, task: Task, program: Traced) -> None:
    """Have a thread tell the agent that something is different (``ptrace_trap_notify()``)."""
    jobctl = program.jobctl
    jobctl.trap_notify = True
    if jobctl.listening:
        jobctl.listening = task.killable = False
        kernel.wake_up_process(task)
    else:
        kernel.signal_wake_up(task)


def do_signal_stop(kernel: Kernel, task: Task, program: Traced, signal: str) -> None:
    """Begin to stop all threads of a process (``do_signal_stop()``)."""
    stop, jobctl = program.stop, program.jobctl
    if not jobctl.stop_pending:
        if not stop.stopped:
            stop.code = signal_number(signal)
        stop.count = 0
        for other in program.threads:
            assert other.program is not None
            if other.exiting or other.fatal_signal_pending():  # task_set_jobctl_pending()
                continue
            other.program.jobctl.stop_pending = other.program.jobctl.consume = True
            stop.count += 1
            if other is not task:
                _trap_notify(kernel, other, other.program)
    jobctl.trap_stop = True


def participate(program: Traced) -> bool:
    """Have a thread be one of those that have stopped; tell whether it is the last.

    ``task_participate_group_stop()``
    """
    stop, jobctl = program.stop, program.jobctl
    counted = jobctl.consume
    jobctl.clear_stop()
    if not counted:
        return False
    stop.count -= 1
    if stop.count or stop.stopped:
        return False
    stop.set_flags(stopped=True)
    return True


def jobctl_trap(kernel: Kernel, task: Task, program: Traced) -> Sleeps[None]:
    """Stop for the agent (``do_jobctl_trap()``, ``ptrace_stop()``).

    Where it is no stop by a signal, or none any more, it goes on when its turn comes.
    """
    stop, jobctl = program.stop, program.jobctl
    by_signal = bool(stop.count) or stop.stopped
    last = jobctl.stop_pending and participate(program)
    jobctl.trap_stop = jobctl.trap_notify = False
    if last:
        notify_parent_cldstop(kernel, task, CLD_STOPPED)
    if not by_signal:
        program.at_exit = True
        return
    jobctl.listening = task.killable = True
    while jobctl.listening and not task.fatal_signal_pending():
        yield
    jobctl.listening = task.killable = False


def tell_continued(kernel: Kernel, task: Task, program: Traced) -> bool:
    """Have the first who goes on tell the parent of the process (``get_signal()``: SIGNAL_CLD_MASK)."""
    why, program.stop.cld = program.stop.cld, 0
    if why:
        notify_parent_cldstop(kernel, task, why)
    return bool(why)


def notify_parent_cldstop(kernel: Kernel, task: Task, why: int) -> None:
    """Tell the parent of a process that it was stopped or continued (``do_notify_parent_cldstop()``)."""
    leader = (task.program.leader or task) if task.program is not None else task
    parent = leader.program.parent if leader.program is not None else None
    if parent is None or parent.program is None:
        return  # the agent, which does not ask
    action = parent.program.action("SIGCHLD")
    if action.handler != SIG_IGN and not action.flags & SA_NOCLDSTOP:
        kernel.send_signal(parent, "SIGCHLD", sender=leader, code=why)
    wake_up(kernel, parent.program.wait_chldexit, 0)


def exit_signals(kernel: Kernel, task: Task) -> None:
    """Have a thread that ends count as stopped where it was to stop (``exit_signals()``)."""
    program = task.program
    if program is not None and program.jobctl.stop_pending and participate(program):
        notify_parent_cldstop(kernel, task, CLD_STOPPED)


def is_orphaned(kernel: Kernel, pgrp: int, without: Task | None = None) -> bool:
    """Tell whether nobody outside a process group looks after it (``will_become_orphaned_pgrp()``).

    :param without: who is about to leave it
    """
    for task in kernel.tasks.values():
        program = task.program
        if task.pgrp != pgrp or task is without or program is None or program.is_thread(task) or program.orphaned:
            continue
        facts = kernel.processes.facts
        parent = program.parent
        group = parent.pgrp if parent is not None else facts.agent_pgrp
        session = parent.session if parent is not None else facts.agent_session
        if group != pgrp and session == task.session:
            return False
    return True
