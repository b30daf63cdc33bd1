"""Signals on their way: what queues them, whom they wake, what they do before a task is in user mode again, stops."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ktrace.model.process import group_stop
from ktrace.model.process.traced import Traced, end_group
from ktrace.model.task import COREDUMPS, STOPS, Task
from ktrace.model.wait import Sleeps
from ktrace.state.call import Signalled
from ktrace.uapi.resource import RLIMIT_SIGPENDING
from ktrace.uapi.signal import SIGRTMIN, signal_number

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel


def send_signal(kernel: Kernel, task: Task, item: Signalled, thread: bool) -> None:
    """Queue *item* for *task* and wake it if it can be interrupted (``send_signal_locked()``, ``complete_signal()``).

    Ignored signals vanish (``sig_ignored()``); a standard signal that is pending already on the same queue is not
    queued twice (``legacy_queue()``).

    :param thread: it is for the thread (PIDTYPE_PID), not for the process
    """
    signal = item.signal
    others_live = task.program is not None and bool(task.program.threads) and not thread
    if (task.exiting and not others_live) or task.group_exit is not None:
        return
    _prepare_signal(kernel, task, signal)
    blocked = signal in task.blocked and signal != "SIGKILL"
    if task.disposition(signal) == "ignore" and not blocked and (task.program is None or signal == "SIGKILL"):
        return  # who traces a task is to see what it ignores, too
    queue = task.pending if thread else task.shared_pending
    if not thread and task.program is not None:
        task = _who_wants(kernel, task, task.program, signal)
        blocked = signal in task.blocked and signal != "SIGKILL"
    same = [other for other in queue if other.signal == signal]
    if same and signal_number(signal) < SIGRTMIN:
        return
    if not _is_kept(kernel, task, item):
        if same:
            return  # sigaddset(): it is pending already, and nothing is known of a second one
        item = Signalled(task.name, signal)
        task.lost.append(item)
    elif same and _is_lost(task, same[0]):
        queue.remove(same[0])  # collect_signal() takes what is queued, and the bit with it
    # wants_signal(): one that has a signal to look at already, or is stopped, needs no waking.
    wants = (
        not blocked
        and not task.exiting
        and not _is_stopped(task)
        and (kernel.current is task or not task.signal_pending())
    )
    queue.append(item)
    kills = wants and task.disposition(signal) == "kill" and signal not in COREDUMPS and task.program is None
    if signal == "SIGKILL" or kills:
        task.group_exit = signal
        task.stopped, task.stop_code, task.stop_continued = False, None, False
        kernel.signal_wake_up(task)
    elif wants:
        kernel.signal_wake_up(task)


def _who_wants(kernel: Kernel, task: Task, program: Traced, signal: str) -> Task:
    """Return the thread that is woken for a signal to the process (``complete_signal()``), *task* where none needs it.

    The search begins where the last one ended. One that stands at the entry of a call wants none: it is traced.
    """

    def wants(other: Task) -> bool:
        """``wants_signal()``."""
        if signal == "SIGKILL":
            return not other.exiting
        if signal in other.blocked or other.exiting or _is_stopped(other):
            return False
        return other is kernel.current or (other.running is not None and not other.signal_pending())

    group = program.leader.program if program.leader is not None else None
    if wants(task) or group is None:
        return task
    first = program.threads.index(group.curr_target) if group.curr_target in program.threads else 0
    for other in (*program.threads[first:], *program.threads[:first]):
        if wants(other):
            group.curr_target = other
            return other
    return task


def _is_stopped(task: Task) -> bool:
    """Tell whether no signal but one wakes it (``task_is_stopped_or_traced()``)."""
    return task.stopped or (task.program is not None and task.program.jobctl.listening)


def _is_lost(task: Task, item: Signalled) -> bool:
    """Tell whether nothing is known of a signal but that it is pending."""
    return any(other is item for other in task.lost)


def _is_kept(kernel: Kernel, task: Task, item: Signalled) -> bool:
    """Tell whether what is known of a signal is kept (``kernel/signal.c: __sigqueue_alloc()``).

    What is queued for anybody of that user counts; RLIMIT_SIGPENDING of the receiver is what it may come to.

    :raises NotImplementedError: the agent's own SIGCHLD decides, or the sender hears of it
    """
    number, limit = signal_number(item.signal), task.rlimits.get(RLIMIT_SIGPENDING)
    if item.signal == "SIGKILL" or limit is None or (number < SIGRTMIN and item.code >= 0):
        return True
    queued = sum(
        not _is_lost(owner, other)
        for owner in kernel.tasks.values()
        if owner.cred.uid == task.cred.uid
        for other in (*owner.pending, *owner.shared_pending)
    )
    if queued < limit.cur <= queued + 1 and not task.cred.uid:
        raise NotImplementedError("the model does not know how many signals wait for the agent (RLIMIT_SIGPENDING)")
    if queued < limit.cur:
        return True
    if number >= SIGRTMIN and item.code:
        raise NotImplementedError("the model does not know how senders hear of RLIMIT_SIGPENDING")
    return False


def _prepare_signal(kernel: Kernel, task: Task, signal: str) -> None:
    """Have a stop and a continuation cancel each other (``kernel/signal.c: prepare_signal()``)."""
    if task.program is not None:
        group_stop.prepare_signal(kernel, task.program, signal)
    elif signal in STOPS:
        task.dequeue([item for item in (*task.pending, *task.shared_pending) if item.signal == "SIGCONT"])
    elif signal == "SIGCONT":
        task.dequeue([item for item in (*task.pending, *task.shared_pending) if item.signal in STOPS])
        if task.stopped:
            task.stopped, task.stop_code, task.stop_continued = False, None, True
            kernel.signal_wake_up(task)


def get_signal(kernel: Kernel, task: Task) -> Sleeps[str | None]:
    """Act on what is pending and not blocked, on the way to user mode (``kernel/signal.c: get_signal()``).

    Each handler runs with all signals blocked, so one after the other.

    :returns: the disposition of the first handler that ran, ``None`` where none did
    """
    first = None
    while True:
        if task.group_exit is not None:
            code = task.program.group_exit_code if task.program is not None else None
            if code is None:
                end_group(kernel, task, None, task.group_exit)
            yield from kernel.exit(task, status=code, signal=task.group_exit if code is None else None)
            return None
        if (program := task.program) is not None:
            if group_stop.tell_continued(kernel, task, program):
                continue
            if program.jobctl.traps:
                yield from group_stop.jobctl_trap(kernel, task, program)
                if program.at_exit:
                    return None
                continue
        item = next(iter(task.deliverable()), None)
        if item is None:
            break
        task.dequeue([item])
        action = task.disposition(item.signal)
        if task.program is not None:
            item = replace(item, actor=task.name)  # one for the process was for whoever takes it
            kernel.note(item)  # ptrace_signal()
            if action in ("record", "restart"):
                first = first or action
                task.program.deliver(task, item)
                continue
        if action == "stop":
            if item.signal != "SIGSTOP" and is_current_pgrp_orphaned(task):
                continue
            if task.program is not None:
                group_stop.do_signal_stop(kernel, task, task.program, item.signal)
            else:
                yield from _do_signal_stop(task, item.signal)
        elif action == "kill":
            end_group(kernel, task, None, item.signal)
            yield from kernel.exit(task, signal=item.signal)
            return None
        elif action != "ignore":
            first = first or action
            kernel.note(item)
    if task.saved_mask is not None:
        # The mask that ppoll() and the like put in place ends with the handlers (sigmask_to_save()).
        task.blocked, task.saved_mask = task.saved_mask, None
        later = yield from get_signal(kernel, task)
        first = first or later
    return first


def _do_signal_stop(task: Task, signal: str) -> Sleeps[None]:
    """Stop until SIGCONT or SIGKILL comes (``kernel/signal.c: do_signal_stop()``)."""
    task.stopped, task.stop_code, task.stop_continued = True, signal, False
    while task.stopped:
        yield


def is_current_pgrp_orphaned(task: Task) -> bool:
    """Tell whether nobody outside the process group of *task* looks after it (``kernel/exit.c``).

    All actors of scripts are children of the agent: whoever is in another group than the agent, but in its session,
    has a parent who does.
    """
    if task.program is not None:
        return group_stop.is_orphaned(task.kernel, task.pgrp)
    facts = task.kernel.processes.facts
    return task.pgrp == facts.agent_pgrp or task.session != facts.agent_session
