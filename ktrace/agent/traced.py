"""Actors of which one becomes a program: its tasks make calls of their own, one at a time, when they are told to.

Between two steps each task of the program stands at the entry of its next call, or sleeps inside one. Who has left a
call goes on to its next one within the same step, so that what the kernel puts off to the way out of a call is done.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ktrace.agent import ops, reports
from ktrace.agent.actors import Actors, Performed, PutOff
from ktrace.agent.client import Agent
from ktrace.agent.frames import Refusal, Refused
from ktrace.agent.program_calls import call_of
from ktrace.agent.syscalls import Caller, Fault, Wanted, decode
from ktrace.errors import GuestGarbage, GuestHang, UsageError
from ktrace.include.linux.limits import U32_MAX
from ktrace.include.linux.types import s64
from ktrace.state.call import Call, Completed, Event, Exited, Outcome, Result, Signalled
from ktrace.uapi.errno import ESRCH
from ktrace.uapi.ptrace import (
    PTRACE_EVENT_CLONE,
    PTRACE_EVENT_FORK,
    PTRACE_EVENT_STOP,
    PTRACE_EVENT_VFORK,
    PTRACE_LISTEN,
    PTRACE_SYSCALL,
)
from ktrace.uapi.siginfo import POLL_HUP, POLL_IN, SI_KERNEL
from ktrace.uapi.signal import SIGTRAP, SIGXCPU, signal_name

BIRTHS = {SIGTRAP | event << 8 for event in (PTRACE_EVENT_FORK, PTRACE_EVENT_VFORK, PTRACE_EVENT_CLONE)}
ROUNDS = 10_000
"""How often tasks may be let go on in one step."""
OF_FAULTS_AND_CHILDREN = frozenset({"SIGILL", "SIGFPE", "SIGSEGV", "SIGBUS", "SIGTRAP", "SIGCHLD", "SIGSYS"})
"""Signals whose codes have meanings of their own (``kernel/signal.c: sig_sicodes``)."""
SUCCESSFUL = range(-4095, 0)
EVERYTHING = 1 << 62


@dataclass(eq=False)
class TracedTask:
    """One task of a program.

    :param call: what it is about to do, or is inside of; *wanted*: what of its memory the answer is
    :param inside: it was let into that call
    :param stopped: it stands somewhere, and can be let go on; *at_entry*: at the entry of *call*
    :param signo: the signal that it gets when it goes on
    :param listens: it is to lie as a signal has stopped it, until another has it go on
    :param spun: it used up its time without a call
    """

    name: str
    pid: int
    call: Call | None = None
    wanted: tuple[Wanted, ...] = ()
    inside: bool = False
    stopped: bool = False
    at_entry: bool = False
    signo: int = 0
    listens: bool = False
    spun: bool = False


@dataclass
class _Seen:
    """What a step made happen to tasks of the program, in order."""

    events: list[Event] = field(default_factory=list)
    ends: list[Exited] = field(default_factory=list)
    born: dict[str, int] = field(default_factory=dict)


def _returns(event: Event, name: str) -> bool:
    return isinstance(event, Completed) and event.actor == name


class TracedActors(Actors):
    """Have actors of one guest make calls, and the tasks of one program theirs.

    :param semaphores: returns how many semaphores a set has (see :class:`Caller`)
    :param mapped: returns so many bytes at an address of a task, where they can be had without asking the guest
    :param in_32bit_call: tells whether a task stands at the entry of a call of 32 bits
    :ivar ready: who is about to make a call, the one that has waited longest first
    """

    def __init__(
        self,
        agent: Agent,
        hello: reports.Hello,
        later: PutOff | None,
        semaphores: Callable[[int], int],
        mapped: Callable[[str, int, int], bytes | None],
        in_32bit_call: Callable[[str], bool],
    ) -> None:
        super().__init__(agent, hello, later)
        self._semaphores = semaphores
        self._mapped = mapped
        self._in_32bit_call = in_32bit_call
        self._tasks: dict[str, TracedTask] = {}
        self._by_pid: dict[int, TracedTask] = {}
        self._early: dict[int, list[reports.Traced]] = {}
        self._seen = _Seen()
        self._root = self._first = ""
        self.ready: list[str] = []

    @property
    def tasks(self) -> tuple[str, ...]:
        """The names of the program's tasks."""
        return tuple(self._tasks)

    @property
    def asleep(self) -> tuple[str, ...]:
        """The names of those that sleep inside a call."""
        return tuple(name for name, task in self._tasks.items() if task.inside)

    @property
    def spinning(self) -> tuple[str, ...]:
        """The names of those that were at work in user mode for a whole slice of time, and wait for another."""
        return tuple(name for name, task in self._tasks.items() if task.spun)

    def next_call(self, name: str) -> Call:
        """Return what task *name* is about to do."""
        call = self._tasks[name].call
        assert call is not None
        return call

    def perform(self, actor: str | None, call: Call) -> Performed:
        """Have *actor* make *call*: a task of the program the one that it is about to make.

        :raises UsageError: that is one of 32 bits
        """
        task = self._tasks.get(actor) if actor is not None else None
        if task is None:
            if actor is None and call.name == "trace":
                (self._root,) = call.args
                return self._performed((self._agent.step(ops.Trace(self._slot(self._root))),))
            if actor is None and call.name == "wait" and self.spinning:
                return self._let_spin()
            return super().perform(actor, call)
        assert task.at_entry and task.call == call  # see verify/rerun.py: _must_be_next()
        if self._in_32bit_call(task.name):
            raise UsageError(
                f"{task.name} makes a call of 32 bits: only those of x86-64 are followed", "--plain runs it"
            )
        self.ready.remove(task.name)
        task.inside = call.name != "exit_thread"  # nobody comes back from that
        # What a timer did since the last step comes first: afterwards nobody could tell.
        early, report = self._agent.batch((ops.Wait(0), self._going_on(task)))
        own = sum(isinstance(event, reports.Traced) for event in report.events)
        self._take(len(self._agent.traced) - own)
        before = len(self._seen.events)
        self._first = task.name
        done = self._at_rest(report)
        # Others return because of what the task of the step did, however long it was on its way out.
        events = self._seen.events
        later = sorted(events[before:], key=lambda event: not _returns(event, task.name))
        self._seen.events = [*events[:before], *later]
        return self._performed((early, *done))

    def _let_spin(self) -> Performed:
        """Give a slice of time to each task that is at work in user mode."""
        done: list[reports.StepReport] = []
        for name in self.spinning:
            if (task := self._tasks.get(name)) is not None:
                task.spun = False
                done += self._at_rest(self._agent.step(self._going_on(task)))
        return self._performed(done)

    # -- letting tasks go on ---------------------------------------------------------------------

    def _going_on(self, task: TracedTask) -> ops.Resume:
        signo, task.signo = task.signo, 0
        request = PTRACE_LISTEN if task.listens else PTRACE_SYSCALL
        task.stopped = task.at_entry = task.listens = False
        return ops.Resume(task.pid, request, signo)

    def _at_rest(self, report: reports.StepReport) -> tuple[reports.StepReport, ...]:
        """Let go on who has left a call, one after the other in the order of their births, until each is at its next.

        :raises GuestHang: they do not come to an end of that
        """
        done = [*super()._at_rest(report)]
        self._take()
        for _ in range(ROUNDS):
            task = next(
                (task for task in self._tasks.values() if task.stopped and not (task.at_entry or task.spun)), None
            )
            if task is None and self._agent.traced:
                self._take()  # a timer's work, told while somebody's memory was read
                continue
            if task is None:
                return tuple(done)
            try:
                more = self._agent.step(self._going_on(task))
            except Refused as error:
                if error.reason is not Refusal.HOST or error.detail != ESRCH:
                    raise
                more = self._agent.step(ops.Wait(0))  # it was killed, and its end is on its way
            done += super()._at_rest(more)
            self._take()
        raise GuestHang("the tasks of the program do not come to rest")

    # -- what became of them ---------------------------------------------------------------------

    def _take(self, count: int | None = None) -> None:
        """Take what became of tasks; the kernel lists them by birth, but who was let go on was so before others.

        :param count: no more than so many of what the agent has told; ``None``: all of it
        """
        told = self._agent.traced
        events, self._agent.traced = told[:count], [] if count is None else told[count:]
        first = self._first
        for event in sorted(events, key=lambda event: self._name_of(event.pid) != first):
            self._traced(event)
        if count is None:
            self._first = ""

    def _name_of(self, pid: int) -> str | None:
        task = self._by_pid.get(pid)
        return task.name if task is not None else None

    def _traced(self, event: reports.Traced) -> None:
        task = self._by_pid.get(event.pid)
        if task is None and event.pid == self.pids.get(self._root):
            task = self._leave_slot(event.pid)
        if task is None:
            self._early.setdefault(event.pid, []).append(event)  # its parent's word of it comes yet
            return
        if os.WIFCONTINUED(event.status):
            return  # what it stops for then is told next
        task.stopped = True
        if not os.WIFSTOPPED(event.status):
            self._ended(task, event.status)
        elif event.kind is reports.TracedKind.ENTRY:
            self._entered(task, event)
        elif event.kind is reports.TracedKind.EXIT:
            self._left(task, s64(event.numbers[0]))
        elif event.kind is reports.TracedKind.SIGNAL:
            self._signal(task, event)
        elif event.kind is reports.TracedKind.EVENT and event.status >> 8 in BIRTHS:
            self._born(task, event.numbers[0])
        elif event.kind is reports.TracedKind.EVENT and event.status >> 16 == PTRACE_EVENT_STOP:
            # A child's first stop is none by a signal, and neither is what SIGCONT brings.
            task.listens = event.status >> 8 & 0xFF != SIGTRAP

    def _leave_slot(self, pid: int) -> TracedTask:
        """Take over the actor that has become a program; it is inside its execve."""
        slot = self._slots.pop(self._root)
        del self._names[slot]
        task = self._add(self._root, pid)
        task.call, task.inside = self._calls.pop(slot), True
        return task

    def _add(self, name: str, pid: int) -> TracedTask:
        task = TracedTask(name, pid)
        self._tasks[name] = self._by_pid[pid] = task
        self.pids[name] = pid
        self.by_pid[pid] = name
        return task

    def _entered(self, task: TracedTask, event: reports.Traced) -> None:
        number, *registers = event.numbers
        caller = Caller(self._reader(task.pid), self.by_pid, self._semaphores)
        task.call, task.wanted = call_of(number, registers, caller, self._free_name)
        task.at_entry, task.inside = True, False
        self.ready.append(task.name)

    def _free_name(self) -> str:
        """Return a name for the next child."""
        number = 2
        taken = set(self.by_pid.values()) | {
            task.call.args[0] for task in self._tasks.values() if task.call is not None and task.call.name == "fork"
        }
        while f"{self._root}.{number}" in taken:
            number += 1
        return f"{self._root}.{number}"

    def _left(self, task: TracedTask, ret: int) -> None:
        if not task.inside or task.call is None:
            return  # a child's way out of its parent's fork
        call, task.inside, task.call = task.call, False, None
        self._seen.events.append(Completed(task.name, self._answer(task, call, ret)))

    def _answer(self, task: TracedTask, call: Call, ret: int) -> Result:
        if call.name == "fork" and ret > 0:
            return Result(ret, None, {"actor": call.args[0]})
        loads: list[bytes] = []
        if ret not in SUCCESSFUL:
            loads = [self._load(task.pid, wanted, ret) for wanted in task.wanted]
        return decode(call, ret, loads, self.by_pid)

    def _load(self, pid: int, wanted: Wanted, ret: int) -> bytes:
        left = ret * wanted.scale if wanted.scale else EVERYTHING
        read, data = self._reader(pid), b""
        for addr, length in wanted.parts:
            size = min(length, left)
            left -= size
            if size:
                data += bytes(size) if addr is None else read(addr, size)
        return data

    def _signal(self, task: TracedTask, event: reports.Traced) -> None:
        number, code, sender = (s64(value) for value in event.numbers[:3])
        if number == SIGXCPU and code == SI_KERNEL:
            task.spun = True  # its slice of time is over: RLIMIT_RTTIME of the agent's, not the program's
            return
        task.signo = number
        name = signal_name(number)
        if POLL_IN <= code <= POLL_HUP and name not in OF_FAULTS_AND_CHILDREN:  # siginfo_layout(): SIL_POLL
            band = s64(event.numbers[2] & U32_MAX | event.numbers[3] << 32)
            item = Signalled(task.name, name, code, None, event.numbers[4] & U32_MAX, band)
        else:
            item = Signalled(task.name, name, code, self.by_pid.get(sender))
        self._seen.events.append(item)

    def _born(self, parent: TracedTask, pid: int) -> None:
        assert parent.call is not None
        name = parent.call.args[0]
        self._add(name, pid)
        self._seen.born[name] = pid
        for event in self._early.pop(pid, []):
            self._traced(event)

    def _ended(self, task: TracedTask, status: int) -> None:
        del self._tasks[task.name], self._by_pid[task.pid], self.pids[task.name]
        if task.name in self.ready:
            self.ready.remove(task.name)
        killed = os.WIFSIGNALED(status)
        name = signal_name(os.WTERMSIG(status)) if killed else None
        self._seen.ends.append(Exited(task.name, None if killed else os.WEXITSTATUS(status), name))

    def _reader(self, pid: int) -> Callable[[int, int], bytes]:
        def read(addr: int, length: int) -> bytes:
            mapped = self._mapped(self.by_pid[pid], addr, length)
            if mapped is not None:
                return mapped
            parts: list[bytes] = []
            while length:
                size = min(length, ops.MAX_EVENT)
                part = next(
                    event.data[: max(event.ret, 0)]
                    for event in self._agent.step(ops.Peek(pid, addr, size)).events
                    if isinstance(event, reports.FileResult)
                )
                if len(part) != size:
                    raise Fault
                parts.append(part)
                addr, length = addr + size, length - size
            return b"".join(parts)

        return read

    def _performed(self, answers: Sequence[reports.StepReport], quiet: bool = False) -> Performed:
        first = super()._performed(answers, quiet)
        seen, self._seen = self._seen, _Seen()
        if self._early:
            raise GuestGarbage(f"the agent speaks of the tasks {sorted(self._early)}, which nobody gave birth to")
        ends = [event for event in first.outcome.events if isinstance(event, Exited)]
        others = [event for event in first.outcome.events if not isinstance(event, Exited)]
        ends = sorted([*ends, *seen.ends], key=lambda end: end.actor)
        outcome = Outcome((*others, *seen.events, *ends), first.outcome.blocked | frozenset(self.asleep))
        return Performed(outcome, first.times, {**first.spawned, **seen.born}, first.hits)
