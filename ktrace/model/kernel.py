"""The model's kernel: tasks, the run queue of one CPU, and the way of one call."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from ktrace.model.calls import OPERATIONS, SYSTEM_CALLS, Answer, SystemCall
from ktrace.model.mm.program_pointers import of_program, unless_unwritable
from ktrace.model.observed import Evidence, Observed
from ktrace.model.process import between_calls
from ktrace.model.process.between_calls import RESTARTS
from ktrace.model.process.group_stop import exit_signals
from ktrace.model.process.traced import thread_ended
from ktrace.model.signal import get_signal, send_signal
from ktrace.model.subsystem import Subsystem
from ktrace.model.task import AsObserved, Cred, Errno, Task
from ktrace.model.told import told
from ktrace.model.unsimulated import as_observed
from ktrace.model.wait import Sleeps, drive
from ktrace.state.call import Call, Completed, Continued, Event, Exited, Outcome, Result, Signalled, Stopped
from ktrace.state.changes import Changes
from ktrace.state.config import ConfigFacts
from ktrace.state.known_bugs import KNOWN_BUGS
from ktrace.state.ref import Ref
from ktrace.state.rule import Choice, Rule
from ktrace.state.unread import UnreadMember
from ktrace.state.world import World
from ktrace.uapi.signal import SIGNAL_NUMBERS

if TYPE_CHECKING:
    from ktrace.model.fs.file import FilesStruct
    from ktrace.model.fs.pipe.subsystem import Pipes
    from ktrace.model.fs.tree import Tree
    from ktrace.model.ipc.subsystem import SysvIpc
    from ktrace.model.mm.subsystem import Memory
    from ktrace.model.net.socket import Sockets
    from ktrace.model.process.process import Processes

T = TypeVar("T")
D = TypeVar("D")
STAYS_AWAKE = 8
"""How often who has a signal waiting finds that it cannot sleep, before it is taken to watch what the kernel sees."""
ROUNDS = 100_000
"""How often kernel threads may have their turn in one step."""


def restarts(errno: str, handler: str | None) -> bool:
    """Tell whether a call that a signal interrupted starts again.

    ``arch/x86/kernel/signal.c: arch_do_signal_or_restart(), handle_signal()``

    :param handler: the disposition of the first handler that ran, ``None`` where none did: after a stop, all do
    """
    return handler is None or errno == "ERESTARTNOINTR" or (errno == "ERESTARTSYS" and handler == "restart")


class Kernel:
    """Run calls one after the other and tell what each made happen.

    :ivar config: how it is configured
    :ivar changes: what the kernel that is modelled has of the changes since Linux 6.1
    :ivar subsystems: all of them, in the order in which their hooks run
    :ivar current: the task that runs (``current``)
    :ivar clock: seconds of the guest's CLOCK_REALTIME just before and just after the step
    :ivar steps: how many were begun
    :ivar clock_set: how often a call set the time of day
    :ivar moment: ns of its CLOCK_REALTIME_COARSE, as far as they are known: the earlier, the later
    :ivar began: the same, before the first step
    :ivar beginning: what timers did before a step is done, its call has not begun
    :ivar zombies: tasks of programs that have ended and that nobody has waited for
    :ivar choices: what the kernel was seen to choose in the step, where that was not what the model would have done
    :ivar untold: what cannot be told of the kernel, once a rule has asked for it: the call was taken as it was seen,
        and nobody knows what else it did
    :ivar unseen: a choice of the kernel did not show in what was observed of the step
    """

    def __init__(
        self,
        *,
        processes: Processes,
        pipes: Pipes,
        fs: Tree,
        mm: Memory,
        ipc: SysvIpc,
        net: Sockets,
        changes: Changes,
        config: ConfigFacts,
    ) -> None:
        self.changes = told(changes)
        self.config = config
        self.processes = processes
        self.pipes = pipes
        self.fs = fs
        self.mm = mm
        self.ipc = ipc
        self.net = net
        self.subsystems: tuple[Subsystem, ...] = (processes, pipes, fs, mm, ipc, net)
        self.tasks: dict[str, Task] = {}
        self.gone: dict[str, int] = {}
        self.clock = (0, 0)
        self.clock_set = 0
        self.steps = 0
        self.moment = (0, 0)
        self.began = 0
        self.beginning = False
        self.choices: list[Choice] = []
        self.unseen = False
        self.untold = ""
        self._observed = Observed(Evidence())
        self._left: frozenset[str] = frozenset()
        self._serial = 0
        self.current: Task | None = None
        self._run_queue: deque[Task] = deque()
        self._events: list[Event] = []
        self._late: list[Event] = []
        self._ended: list[tuple[Task, int]] = []
        self.zombies: dict[str, Task] = {}

    def serial(self) -> int:
        """Return a number that no object has yet; it is the raw key of a new object."""
        self._serial += 1
        return self._serial

    def choose(
        self, rule: Rule, find: Callable[[Observed], T | None], allowed: Callable[[T], bool], otherwise: D
    ) -> T | D:
        """Take the kernel's own choice where *allowed* accepts it, else *otherwise*.

        A rule has no other way to what was observed. What is not *otherwise* is noted in :attr:`choices`.

        :param rule: what leaves the choice open
        :param find: finds what the kernel chose in what was observed; ``None`` where that does not show
        """
        try:
            seen = find(self._observed)
            if seen is None:
                self.unseen = True
                return otherwise
            fits = allowed(seen)
        except (AttributeError, TypeError, LookupError, StopIteration):
            if (absent := self._observed.unread()) is None:
                raise
            raise UnreadMember(absent) from None
        if not fits or seen != otherwise:
            self.choices.append(Choice(rule, seen, fits))
        return seen if fits else otherwise

    def known_bug(self, name: str) -> None:
        """Note that the kernel's bug *name* shows in this step (``docs/kernel-bugs/``)."""
        self.choices.append(Choice(KNOWN_BUGS[name], "as it has it", True))

    # -- steps -----------------------------------------------------------------------------------

    def act(self, actor: str | None, call: Call, evidence: Evidence | None = None) -> Outcome:
        """Do one step: a call by *actor*, or an operation where that is ``None``.

        :raises KeyError: the model does not know the call
        """
        if actor is not None:
            return self.step(actor, call, evidence)
        function = OPERATIONS[call.name]
        return self.do_operation(lambda: function(self, *call.args), evidence)

    def step(self, actor: str, call: Call, evidence: Evidence | None = None) -> Outcome:
        """Do one call by *actor* and whatever it sets in motion.

        :raises KeyError: *actor* is not alive, or the model does not know the call
        """
        self._begin(actor, evidence or Evidence())
        task = self.tasks[actor]
        function = SYSTEM_CALLS[call.name]
        task.call = call if task.program is None else of_program(task, call)
        if task.stopped and task.running is not None:
            task.running = self._enter_later(task.running, function, task, call)
        else:
            task.running = self._enter(function, task, call)
            self._run_queue.append(task)
        self.settle()
        return self._outcome()

    def do_operation(self, action: Callable[[], None], evidence: Evidence | None = None) -> Outcome:
        """Do something that no actor calls, such as the agent's kill, and whatever it sets in motion."""
        self._begin(None, evidence or Evidence())
        action()
        self.settle()
        return self._outcome()

    def find_task(self, who: str | int) -> Task | None:
        """Return the living task with the name or pid *who* (``find_task_by_vpid()``)."""
        if isinstance(who, str):
            return self.tasks.get(who)
        return next((task for task in self.tasks.values() if task.pid == who), None)

    def pid_of(self, name: str) -> int:
        """Return the pid of *name*, dead or alive, as a reference to its ``struct pid`` keeps it (``pid_vnr()``)."""
        if name.startswith("pid "):
            return int(name.removeprefix("pid "))  # no actor
        task = self.tasks.get(name)
        return task.pid if task is not None else self.gone.get(name, 0)

    def name_of(self, pid: int) -> str | None:
        """Return the name of the task that has *pid*, or had it last."""
        alive = next((task.name for task in self.tasks.values() if task.pid == pid), None)
        return alive or next((name for name in reversed(self.gone) if self.gone[name] == pid), None)

    def _begin(self, actor: str | None, evidence: Evidence) -> None:
        """Take over what was observed of this step, and let timers fire that did so before it."""
        actors = {name for name in evidence.left_since_report if not self._is_program(name)}
        evidence = replace(evidence, left_since_report=evidence.stopped_behind | actors)
        self.clock, self._left = evidence.clock, evidence.left_since_report
        self.moment = evidence.moment
        self.began = self.began or evidence.moment[0]
        self.steps += 1
        self._observed = Observed(evidence, actor)
        self.choices = []
        self.unseen = False
        self._events, self._late = list(self._late), []
        for subsystem in self.subsystems:
            subsystem.elapse(self)
        self.beginning = True
        between_calls.timers_end_sleeps(self, early=True)
        if self._run_queue:
            self.settle()
        self.beginning = False

    def _is_program(self, name: str) -> bool:
        """Tell whether *name* is a task of a program: it may wait for a futex of its own."""
        task = self.tasks.get(name)
        return task is not None and task.program is not None

    def settle(self) -> None:
        """Run every woken task, in the order of waking (SCHED_FIFO on one CPU), until all sleep or are done."""
        for _ in range(ROUNDS):
            while self._run_queue:
                self._run(self._run_queue.popleft())
            # What a program's tasks do on their way to user mode belongs to their calls: timers come after that.
            if between_calls.reap(self, self._ended) or between_calls.leave(self) or between_calls.meet_signals(self):
                continue
            # Every actor sleeps: kernel threads have their turn, before the agent (SCHED_IDLE).
            busy = [subsystem.idle(self) for subsystem in self.subsystems]
            if self._run_queue or any(busy):
                continue
            if not between_calls.timers_end_sleeps(self, early=self.beginning) and not between_calls.meet_signals(self):
                return
        raise RuntimeError("the model does not come to rest")

    def run_next(self, task: Task, running: Sleeps[None]) -> None:
        """Have *task*, which is in no call, do something once those before it have had their turn."""
        task.running = running
        self._run_queue.append(task)

    def signals_met(self, task: Task) -> int:
        """Return how many signals *task* has met in this step."""
        return sum(isinstance(event, Signalled) and event.actor == task.name for event in self._events)

    @property
    def has_woken(self) -> bool:
        """Tell whether a task waits for the CPU."""
        return bool(self._run_queue)

    def _outcome(self) -> Outcome:
        # The agent runs last and reaps then: ends come after everything else.
        ended = [event for event in self._events if isinstance(event, Exited)]
        ends = sorted([*ended, *self._jobs()], key=lambda event: event.actor)
        others = [event for event in self._events if not isinstance(event, Exited)]
        inside = (name for name, task in self.tasks.items() if task.running is not None and task.call is not None)
        # What returned too late for this step's report is in the next one.
        self._late = [event for event in others if event.actor in self._left and self._is_late(event)]
        blocked = frozenset(inside) | {event.actor for event in self._late}
        return Outcome((*[event for event in others if event not in self._late], *ends), blocked)

    def _is_late(self, event: Event) -> bool:
        """Tell whether *event*, of one who has left a call since the report, is not in that: a result, or a signal."""
        return isinstance(event, Completed) or (isinstance(event, Signalled) and self._is_program(event.actor))

    def _jobs(self) -> Iterator[Stopped | Continued]:
        """Tell the agent who was stopped or continued; that a program goes on is then known to nobody else.

        ``kernel/exit.c: wait_task_stopped(), wait_task_continued()``
        """
        for task in self.tasks.values():
            if task.stop_code is not None:
                yield Stopped(task.name, task.stop_code)
            elif task.stop_continued:
                yield Continued(task.name)
            task.stop_code, task.stop_continued = None, False
            if task.program is not None:
                task.program.stop.continued = False

    def _enter(self, function: SystemCall, task: Task, call: Call) -> Sleeps[Answer]:
        try:
            running: Sleeps[Answer] = drive(function(task, *call.args))
            answer = yield from running
        except AsObserved as opaque:
            answer = yield from self._as_seen(task, opaque)
        except Errno as error:
            return Result(-1, error.name)
        if task.exiting:
            return Result(0)
        assert isinstance(answer, (int, Result)), f"the model of {call.name!r} answered {answer!r}"
        return answer if task.program is None else unless_unwritable(task, answer)

    def _as_seen(self, task: Task, opaque: AsObserved) -> Sleeps[Result]:
        if opaque.simulated:
            self.untold = opaque.what
        try:
            return (yield from as_observed(task, opaque))
        except Errno as error:
            return Result(-1, error.name)

    def _enter_later(self, stopped: Sleeps[Any], function: SystemCall, task: Task, call: Call) -> Sleeps[Answer | None]:
        """Have a task that is stopped in user mode begin a call once it goes on."""
        yield from stopped
        return None if task.exiting else (yield from self._enter(function, task, call))

    def _run(self, task: Task) -> None:
        if task.name not in self.tasks:
            return
        self.current = task
        if task.running is None:
            task.running = self._get_signal(task)
        task.sleeping = False
        awake = STAYS_AWAKE
        while task.running is not None:
            running = task.running
            try:
                next(running)
            except StopIteration as stop:
                if task.running is running:
                    # A call that came to its end has an answer; the way out of it has none.
                    task.running = None if stop.value is None else self._return_to_user(task, stop.value)
                    if task.program is not None and stop.value is not None:
                        if task.fatal_signal_pending():
                            task.running = between_calls.to_user_mode(
                                self, task
                            )  # ptrace_stop() stops nobody who is to end
                        else:
                            between_calls.stop_at_exit(self, task, task.program, stop.value)
            else:
                # Nobody falls asleep whom a signal would wake (schedule(): signal_pending_state()).
                if awake and not task.uninterruptible and self._is_to_wake(task):
                    awake -= 1
                    continue
                task.sleeping = True
                break
        self.current = None

    @staticmethod
    def _is_to_wake(task: Task) -> bool:
        return task.fatal_signal_pending() if task.killable else task.signal_pending()

    def _return_to_user(self, task: Task, answer: Answer) -> Sleeps[None]:
        """Leave the kernel (``exit_to_user_mode_loop()``), or start the call again (``handle_signal()``)."""
        yield from self.run_task_works(task)
        result = answer if isinstance(answer, Result) else Result(answer)
        call = task.call
        # What does not find a signal at the way out goes to the program as it is.
        pending = task.signal_pending()
        handler = yield from get_signal(self, task)
        if task.exiting:
            return
        if result.errno in RESTARTS and pending:
            if call is not None and restarts(result.errno, handler):
                task.running = self._enter(SYSTEM_CALLS[call.name], task, call)
                return
            result = Result(-1, "EINTR")
        task.resumed = None
        task.call = task.running = None
        self._events.append(Completed(task.name, result))

    def wake_up_process(self, task: Task) -> bool:
        """Make a sleeping task runnable (``try_to_wake_up()``); tell whether it slept."""
        if not task.sleeping:
            return False
        task.sleeping = False
        self._run_queue.append(task)
        return True

    # -- signals ---------------------------------------------------------------------------------

    def send_signal(
        self,
        task: Task,
        signal: str,
        sender: Task | None = None,
        code: int = 0,
        fd: int = 0,
        band: int = 0,
        thread: bool = False,
    ) -> None:
        """Send *signal* to *task*.

        :param thread: it is for the thread (PIDTYPE_PID), not for the process
        """
        who = sender.name if sender else None
        item = Signalled(actor=task.name, signal=signal, code=code, sender=who, fd=fd, band=band)
        send_signal(self, task, item, thread)

    def note(self, event: Event) -> None:
        """Have the step tell of *event*."""
        self._events.append(event)

    def signal_wake_up(self, task: Task) -> None:
        """Make *task* look at its signals, in user mode or in a sleep that they may end (``signal_wake_up()``)."""
        if task.running is None:
            # One that is traced stands in the kernel, and meets its signals when it leaves; SIGKILL ends that, too.
            if task not in self._run_queue and (task.program is None or task.group_exit is not None):
                self._run_queue.append(task)
        elif not task.uninterruptible and (not task.killable or task.fatal_signal_pending()):
            self.wake_up_process(task)

    def _get_signal(self, task: Task) -> Sleeps[None]:
        """Have *task*, which was in user mode, look at its signals."""
        yield from get_signal(self, task)

    # -- the ends of tasks -----------------------------------------------------------------------

    def run_task_works(self, task: Task) -> Sleeps[None]:
        """Run what was put off to the return to user mode, last in first out (``task_work_run()``)."""
        while task.task_works:
            works, task.task_works = task.task_works, []
            for work in reversed(works):
                yield from drive(work())

    def exit(self, task: Task, status: int | None = None, signal: str | None = None) -> Sleeps[None]:
        """End *task* (``do_exit()``)."""
        task.exiting = True
        exit_signals(self, task)
        for hook in ("exit_mm", "exit_sem", "exit_shm"):
            for subsystem in self.subsystems:
                getattr(subsystem, hook)(task)
        task.files.put(task)
        for subsystem in self.subsystems:
            subsystem.exit_ns(task)
        yield from self.run_task_works(task)
        for subsystem in self.subsystems:
            subsystem.exit_last(task)
        task.running = None
        ended: tuple[Task, ...] = (task,)
        told: tuple[Task, int] | None = None
        if task.program is not None:
            code = status << 8 if status is not None else SIGNAL_NUMBERS[signal or ""]
            ended, told = thread_ended(self, task, code)
        for gone in ended:
            del self.tasks[gone.name]
            self.gone[gone.name] = gone.pid
            if gone.program is not None and not gone.program.is_thread(gone):
                self.zombies[gone.name] = gone
            self._events.append(Exited(actor=gone.name, status=status, signal=signal))
        if told is not None:
            self._ended.append(told)

    # -- the state -------------------------------------------------------------------------------

    def world(self) -> World:
        """Return the World as the model has it, with raw references (``state.naming`` names them)."""
        objects: dict[Ref, Any] = {}
        for subsystem in self.subsystems:
            subsystem.observe(self, objects)
        return World(objects)

    def spawn(self, name: str, files: FilesStruct, cred: Cred | None = None, pid: int = 0) -> Task:
        """Add a task named *name* (the agent's fork of a fresh actor)."""
        task = Task(self, name, files, self.mm.born(), self.fs.born(), cred or Cred(), pid)
        facts = self.processes.facts
        task.pgrp, task.pgrp_attached, task.session = facts.agent_pgrp, self.serial(), facts.agent_session
        self.tasks[name] = task
        return task
