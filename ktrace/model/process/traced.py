"""Tasks of a program that is traced: they stop at each way into the kernel and out of it (``kernel/ptrace.c``).

Between two steps such a task stands at the entry of its next call, in the kernel. A signal waits there until the call
comes to its end, and no other way out of it than that end is seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ktrace.model.process.jobctl import GroupStop, JobCtl
from ktrace.model.task import IGNORED_BY_DEFAULT, STOPS, SYNCHRONOUS, Errno, Task
from ktrace.model.wait import Sleeps, WaitQueue, wake_up
from ktrace.state.call import Call, Signalled
from ktrace.state.rule import Rule
from ktrace.uapi.siginfo import CLD_EXITED, CLD_KILLED, SI_TIMER
from ktrace.uapi.signal import SA_NOCLDWAIT, SA_NODEFER, SA_RESETHAND, SA_RESTART, SIG_DFL, SIG_IGN, signal_name

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel


@dataclass(frozen=True)
class SignalAction:
    """What a signal does (``struct k_sigaction``).

    :param handler: its address, SIG_DFL or SIG_IGN
    :param mask: signals that are blocked while it runs
    """

    handler: int = SIG_DFL
    flags: int = 0
    mask: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Zombie:
    """A child that has ended and was not waited for.

    :param born: grows with each that is born: in that order they are looked at (``do_wait_thread()``)
    :param status: as wait4(2) tells it
    """

    name: str
    pid: int
    born: int
    status: int


@dataclass(eq=False)
class Traced:
    """Mirror the part of a ``task_struct`` that only programs make use of.

    :param parent: ``real_parent``; ``None`` for the agent, or the first process where *orphaned*
    :param born: see :class:`Zombie`
    :param wait_chldexit: ``signal->wait_chldexit``
    :param leader: of its thread group; *threads*: those of the group that live, in the order of their births
    :param curr_target: of a leader: the thread that took the last signal to the process that another could not take
    :param group_exit_code: what the group ends with (SIGNAL_GROUP_EXIT), where no signal ended it
    :param pdeath_signal: what it gets when its parent ends; 0 for nothing
    :param child_subreaper: of a leader: orphans below it become its children (``signal->is_child_subreaper``)
    :param vfork_done: its parent sleeps until it runs a program of its own, or ends
    :param masks: what was blocked before each handler that runs
    :param executed: it has run a program since it was born (not PF_FORKNOEXEC)
    :param timers: signals of those that timer_create() made, by their numbers
    :param timer_signals: names and codes of what timers may send at any time
    :param at_exit: it stands at the exit of a call, or has told the agent that it goes on after a stop
    :param stop: what the threads of a process have in common where it is stopped; *jobctl*: what each has of its own
    :param called: the call that a signal ended and that may be started again
    """

    born: int = 0
    wait_chldexit: WaitQueue = field(default_factory=WaitQueue)
    parent: Task | None = None
    orphaned: bool = False
    children: list[Task] = field(default_factory=list)
    zombies: list[Zombie] = field(default_factory=list)
    actions: dict[str, SignalAction] = field(default_factory=dict)
    masks: list[frozenset[str]] = field(default_factory=list)
    leader: Task | None = None
    threads: list[Task] = field(default_factory=list)
    curr_target: Task | None = None
    group_exit_code: int | None = None
    pdeath_signal: int = 0
    child_subreaper: bool = False
    vfork_done: WaitQueue | None = None
    executed: bool = False
    timers: dict[int, str | None] = field(default_factory=dict)
    timer_signals: set[tuple[str, int]] = field(default_factory=set)
    at_exit: bool = False
    called: Call | None = None
    stop: GroupStop = field(default_factory=GroupStop)
    jobctl: JobCtl = field(default_factory=JobCtl)

    def is_thread(self, task: Task) -> bool:
        """Tell whether *task*, which this belongs to, is another thread than the first of its process."""
        return self.leader is not None and self.leader is not task

    def action(self, signal: str) -> SignalAction:
        """Return what *signal* does."""
        return self.actions.get(signal, SignalAction())

    def disposition(self, signal: str) -> str:
        """Return what *signal* would do, in the words of :meth:`Task.disposition`."""
        action = self.action(signal)
        if action.handler == SIG_IGN:
            return "ignore"
        if action.handler != SIG_DFL:
            return "restart" if action.flags & SA_RESTART else "record"
        return "ignore" if signal in IGNORED_BY_DEFAULT else "stop" if signal in STOPS else "kill"

    def deliver(self, task: Task, item: Signalled) -> None:
        """Begin a handler (``kernel/signal.c: signal_setup_done()``, ``get_signal()``: SA_ONESHOT)."""
        action = self.action(item.signal)
        self.masks.append(task.blocked if task.saved_mask is None else task.saved_mask)
        task.saved_mask = None
        task.blocked |= action.mask
        if not action.flags & SA_NODEFER:
            task.blocked |= {item.signal}
        if action.flags & SA_RESETHAND:
            self.actions[item.signal] = replace(action, handler=SIG_DFL)

    def ignores_children(self) -> bool:
        """Tell whether children leave nothing to wait for (``do_notify_parent()``)."""
        action = self.action("SIGCHLD")
        return action.handler == SIG_IGN or bool(action.flags & SA_NOCLDWAIT)

    def release_vfork(self, kernel: Kernel) -> None:
        """Let the parent go on that has shared its memory (``complete_vfork_done()``)."""
        queue, self.vfork_done = self.vfork_done, None
        if queue is not None:
            wake_up(kernel, queue, 0)

    def after_exec(self) -> None:
        """Forget handlers (``begin_new_exec()``, ``flush_signal_handlers()``); what is ignored stays so."""
        self.executed = True
        self.actions = ignored(self.actions)
        self.masks = []
        self.timers = {}
        # exit_itimers(); those of setitimer() go on.
        self.timer_signals = {item for item in self.timer_signals if item[1] != SI_TIMER}


def ignored(actions: Mapping[str, SignalAction]) -> dict[str, SignalAction]:
    """Return of *actions* what is left where handlers are forgotten (``flush_signal_handlers()``)."""
    return {name: SignalAction(SIG_IGN) for name, had in actions.items() if had.handler == SIG_IGN}


def notify_parent(kernel: Kernel, task: Task, status: int) -> None:
    """Tell the parent of *task* that it has ended; it can be waited for from then on.

    ``kernel/exit.c: wait_task_zombie(), forget_original_parent()``, ``kernel/signal.c: do_notify_parent()``

    :param status: as wait4(2) tells it
    """
    assert task.program is not None
    _forget_original_parent(kernel, task, task.program)
    parent = task.program.parent
    if parent is None or parent.program is None:
        kernel.zombies.pop(task.name, None)  # the agent, or the first process, waits for it at once
        return
    known = parent.program
    if task in known.children:
        known.children.remove(task)
    if known.ignores_children():
        kernel.zombies.pop(task.name, None)
    else:
        known.zombies.append(Zombie(task.name, task.pid, task.program.born, status))
        known.zombies.sort(key=lambda zombie: zombie.born)
    if known.action("SIGCHLD").handler != SIG_IGN:
        kernel.send_signal(parent, "SIGCHLD", sender=task, code=CLD_KILLED if status & 0x7F else CLD_EXITED)
    wake_up(kernel, known.wait_chldexit, 0)


def _forget_original_parent(kernel: Kernel, task: Task, program: Traced) -> None:
    """Give the children of one that has ended to who takes over orphans (``forget_original_parent()``)."""
    reaper = _find_new_reaper(program)
    children, program.children[:] = list(program.children), []
    for child in children:
        assert child.program is not None
        for thread in child.program.threads:
            assert thread.program is not None
            thread.program.parent, thread.program.orphaned = reaper, reaper is None
        if child.program.pdeath_signal:
            kernel.send_signal(child, signal_name(child.program.pdeath_signal), sender=task)
    if reaper is None or reaper.program is None:
        return
    reaper.program.children += children
    zombies, program.zombies[:] = list(program.zombies), []
    for zombie in zombies:  # reparent_leader(): it is told anew
        reaper.program.zombies.append(zombie)
        reaper.program.zombies.sort(key=lambda zombie: zombie.born)
        kernel.send_signal(reaper, "SIGCHLD", code=CLD_KILLED if zombie.status & 0x7F else CLD_EXITED)


def _find_new_reaper(program: Traced) -> Task | None:
    """Return who takes over orphans: the next ancestor that asked for it; ``None`` for the first process."""
    parent = program.parent
    while parent is not None and parent.program is not None:
        leader = parent.program.leader or parent
        if leader.program is not None and leader.program.child_subreaper:
            return leader
        parent = parent.program.parent
    return None


USER_MODE = Rule("arch/x86/kernel/signal.c", "arch_do_signal_or_restart", "what comes to a program between its calls")


def met_in_user_mode(kernel: Kernel, task: Task, number: int) -> Signalled | None:
    """Return what *task* was seen to meet while it ran its own code: a fault of that, or what waited for it.

    :param number: how many it has met in this step already
    """

    def may_be(item: Signalled) -> bool:
        return (
            _is_fault(item)
            or is_of_timer(task, item)
            or any(item.signal == waits.signal for waits in task.deliverable())
        )

    return kernel.choose(USER_MODE, lambda seen: seen.signal(task, number), may_be, None)


def is_of_timer(task: Task, item: Signalled) -> bool:
    """Tell whether a timer of the program may have sent *item*, of which nothing is known but that it was met."""
    program = task.program
    waits = any(item.signal == other.signal for other in task.deliverable())
    return program is not None and not waits and (item.signal, item.code) in program.timer_signals


def _is_fault(item: Signalled) -> bool:
    return item.signal in SYNCHRONOUS and item.code > 0 and item.sender is None


def force_sig(task: Task, program: Traced, item: Signalled) -> None:
    """Queue *item* if it is a fault: nobody can block or ignore one (``force_sig_info_to_task()``)."""
    if is_of_timer(task, item):
        task.pending.append(item)
    if not _is_fault(item):
        return
    if item.signal in task.blocked or task.disposition(item.signal) == "ignore":
        program.actions[item.signal] = SignalAction()
        task.blocked -= {item.signal}
    task.pending.append(item)


def end_group(kernel: Kernel, task: Task, status: int | None, signal: str | None) -> None:
    """Have the other threads of *task* end, too (``kernel/exit.c: do_group_exit()``, ``zap_other_threads()``).

    :param status: what the process ends with, where no *signal* ends it
    """
    if task.program is None:
        return
    for other in task.program.threads:
        if other is not task and other.group_exit is None and other.program is not None:
            other.group_exit, other.program.group_exit_code = signal or "SIGKILL", status
            kernel.signal_wake_up(other)


def thread_ended(kernel: Kernel, task: Task, status: int) -> tuple[tuple[Task, ...], tuple[Task, int] | None]:
    """Return of whom only a status is left now that *task* has ended, and whose parent is to hear what.

    The first thread stays until no other lives, and what the last one ended with is what the process ended with.
    ``kernel/exit.c: exit_notify(), delay_group_leader(), synchronize_group_exit()``

    :param status: as wait4(2) tells it
    """
    program = task.program
    assert program is not None
    leader, threads = program.leader or task, program.threads
    if task in threads:
        if leader.program is not None and leader.program.curr_target is task:
            following = threads.index(task) + 1
            leader.program.curr_target = threads[following % len(threads)]  # next_thread()
        threads.remove(task)
    if not threads:
        return (task,) if leader is task else (task, leader), (leader, status)
    for child in program.children:  # forget_original_parent(), find_alive_thread()
        for thread in child.program.threads if child.program is not None else ():
            if thread.program is not None and thread.program.parent is task:
                thread.program.parent = threads[0]
                if thread.program.pdeath_signal:
                    kernel.send_signal(thread, signal_name(thread.program.pdeath_signal), sender=task)
    for other in threads:
        if other.call is not None and other.call.name == "execve":
            kernel.wake_up_process(other)  # __exit_signal(): group_exec_task
    return () if leader is task else (task,), None


def de_thread(kernel: Kernel, task: Task, program: Traced) -> Sleeps[None]:
    """End all other threads of one that runs another program, and wait for that (``fs/exec.c: de_thread()``).

    :raises Errno: EAGAIN where something ends them all
    """
    if program.is_thread(task):
        raise NotImplementedError("the model does not know execve() of another thread than the first")
    for other in program.threads:
        if other is not task and other.group_exit is None and other.program is not None:
            other.group_exit, other.program.group_exit_code = "SIGKILL", 0  # do_group_exit(): group_exec_task
            kernel.signal_wake_up(other)
    task.killable = True
    while len(program.threads) > 1:
        if task.fatal_signal_pending():
            raise Errno("EAGAIN")
        yield
    task.killable = False
