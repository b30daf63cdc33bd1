"""Actors by name: calls in, outcomes out; slots, pids and registers stay in here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from ktrace.agent import ops, reports
from ktrace.agent.client import Agent
from ktrace.agent.frames import Refusal, Refused
from ktrace.agent.syscalls import RawCall, decode, encode, format_call
from ktrace.errors import GuestGarbage, GuestHang, UsageError
from ktrace.include.linux.time64 import NSEC_PER_SEC
from ktrace.state.call import Call, Completed, Continued, Event, Exited, Outcome, Result, Signalled, Stopped
from ktrace.state.quick import dataclass
from ktrace.state.trace.probe import Hit
from ktrace.uapi.errno import errno_name
from ktrace.uapi.siginfo import POLL_HUP, POLL_IN, SI_SIGIO
from ktrace.uapi.signal import SIGKILL, SIGRTMAX, SIGSTOP, signal_name

_SI_FD_CODES = frozenset((SI_SIGIO, *range(POLL_IN, POLL_HUP + 1)))
"""The codes of SIGIO with which ``si_fd`` and ``si_band`` mean something."""

JIFFY_NS = 4_000_000
"""What a kernel thread puts off by a jiffy is due then (CONFIG_HZ of 250)."""
JIFFIES = 250
"""After so many a guest is not at rest."""


@dataclass(frozen=True, slots=True)
class Performed:
    """What one step made happen, as the agent tells it.

    :param times: ns of the guest's CLOCK_REALTIME_COARSE just before and just after
    :param spawned: pids of new actors, by name
    :param hits: what probes saw on the way
    """

    outcome: Outcome
    times: tuple[int, int]
    spawned: Mapping[str, int]
    hits: tuple[Hit, ...] = ()

    @property
    def clock(self) -> tuple[int, int]:
        """Seconds of the guest's CLOCK_REALTIME just before and just after."""
        return self.times[0] // NSEC_PER_SEC, self.times[1] // NSEC_PER_SEC


class PutOff(Protocol):
    """What the kernel does a little later, on its own."""

    def began(self) -> bool:
        """Tell whether it was put off since this was asked last."""

    def waits(self) -> bool:
        """Tell whether it still waits for its time."""


class Actors:
    """Have actors of one guest make calls.

    :param agent: connected
    :param hello: what it said of itself and of the actors that it has
    :param later: what the kernel may put off and belongs to the step all the same: it is waited for
    """

    def __init__(self, agent: Agent, hello: reports.Hello, later: PutOff | None = None) -> None:
        self._agent = agent
        self._later = later
        self._hello = hello
        self._slots: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._calls: dict[int, Call] = {}
        self._own_group: set[str] = set()
        self.pids: dict[str, int] = {}
        self.by_pid: dict[int, str] = {}

    def adopt(self, pids: Mapping[str, int], calls: Mapping[str, Call]) -> None:
        """Go on with actors that the agent has already: the guest was restored.

        :param pids: of every actor that lives, by name
        :param calls: the calls inside which some of them are
        :raises GuestGarbage: the agent has others
        """
        slots = {pid: slot for slot, pid in enumerate(self._hello.pids) if pid}
        if set(slots) != set(pids.values()):
            raise GuestGarbage(f"the guest has the actors {sorted(slots)}, not {sorted(pids.values())}")
        for name, pid in pids.items():
            slot = self._slots[name] = slots[pid]
            self._names[slot] = name
            self.pids[name] = pid
            self.by_pid[pid] = name
        self._calls = {self._slots[name]: call for name, call in calls.items()}

    @property
    def agent_pid(self) -> int:
        """The pid of the agent, the parent of all actors."""
        return self._hello.agent_pid

    @property
    def alive(self) -> tuple[str, ...]:
        """The names of the actors that live."""
        return tuple(self._slots)

    def perform(self, actor: str | None, call: Call) -> Performed:
        """Have *actor* make *call*; ``None`` is ktrace itself.

        :raises UsageError: there is no such actor, it is inside a call, or the call cannot be encoded
        :raises GuestHang: the guest did not come to rest
        """
        if actor is None:
            return self._from_outside(call)
        slot = self._slot(actor)
        if slot in self._calls:
            # Its call may have returned since: that is seen by whoever lets time pass, not by luck.
            raise _inside(actor, call)
        op = self._operation(slot, call)
        self._calls[slot] = call
        try:
            report = self._agent.step(op)
        except Refused as error:
            del self._calls[slot]
            raise self._refusal(error, actor, call) from error
        return self._performed(self._at_rest(report))

    def perform_many(self, calls: Iterable[tuple[str, Call]]) -> list[Performed]:
        """Have actors make calls one after the other, all in one round trip."""
        asked = [(self._slot(actor), call) for actor, call in calls]
        answers = self._agent.batch([self._operation(slot, call) for slot, call in asked])
        performed = []
        for (slot, call), report in zip(asked, answers, strict=True):
            self._calls[slot] = call
            performed.append(self._performed((report,)))
        return performed

    def _at_rest(self, report: reports.StepReport) -> tuple[reports.StepReport, ...]:
        """Return *report* and what happened while the kernel did what it had put off.

        :raises GuestHang: it goes on doing so
        """
        done = [report]
        later = self._later
        while later is not None and later.began():
            waits = True
            while waits:
                if len(done) > JIFFIES:
                    raise GuestHang("the guest did not come to rest: a kernel thread puts off closing files")
                # Where nothing waits any more it may be about it: the agent does not come back before that is done.
                waits = later.waits()
                done.append(self._agent.step(ops.Wait(JIFFY_NS if waits else 0)))
        return tuple(done)

    # -- operations ------------------------------------------------------------------------------

    def _from_outside(self, call: Call) -> Performed:
        if call.name == "spawn":
            name, credentials = call.args
            slot = self._reserve(name)
            operations: list[ops.Op] = [ops.Spawn(slot)]
            operations += [self._operation(slot, item) for item in _credential_calls(credentials)]
            answers = self._agent.batch(operations)
            for report in answers[1:]:
                self._must_succeed(report, name)
            return self._performed(answers, quiet=True)
        if call.name == "kill":
            name, signo = call.args
            if not 0 <= signo <= SIGRTMAX:
                raise UsageError(f"there is no signal {signo}", f"signals are 1 to {SIGRTMAX}, 0 only asks")
            return self._performed(self._at_rest(self._agent.step(ops.Kill(self._slot(name), signo))))
        if call.name == "sysctl":
            path, value = call.args
            report = self._agent.step(ops.WriteFile(f"/proc/sys/{path}", value.encode()))
            for event in report.events:
                if isinstance(event, reports.FileResult) and event.ret < 0:
                    raise UsageError(
                        f"cannot set sysctl {path!r} to {value!r}: {os.strerror(-event.ret)}",
                        "see the names below /proc/sys of the guest",
                    )
            return self._performed((report,))
        if call.name == "wait":
            return self._performed(self._at_rest(self._agent.step(ops.Wait(call.args[0] * 1_000_000))))
        raise UsageError(f"{call.name!r} needs an actor", f"write it as: A: {call.name}(...)")

    def _operation(self, slot: int, call: Call) -> ops.Op:
        match call.name:
            case "fork":
                child, flags = call.args
                return ops.Fork(slot, self._reserve(child), flags)
            case "exit":
                return ops.Exit(slot, call.args[0])
            case "exec":
                return ops.Exec(slot)
            case "sigaction":
                signo, handler = call.args
                return ops.Sigaction(slot, signo, ops.Disposition[handler])
            case "store":
                return ops.CopyIn(slot, call.args[0], call.args[1])
            case "load":
                return ops.CopyOut(slot, call.args[0], call.args[1])
        if call.name in ("kill", "tgkill"):
            self._spare_the_agent(slot, call)
        return operation(slot, encode(call, self._hello.arena(slot), self._hello.arena_size, self.pids))

    def _spare_the_agent(self, slot: int, call: Call) -> None:
        """Refuse what would kill or stop the agent itself: the guest would be gone.

        :raises UsageError: it would
        """
        who, signo = call.args[-2:]
        own = self._names[slot] in self._own_group
        if signo in (SIGKILL, SIGSTOP) and (who in (-1, self._hello.agent_pid) or (who == 0 and not own)):
            raise UsageError(
                f"{call.name}({who!r}, {signal_name(signo)}) would meet the agent, without which there is no guest",
                "name the actors, or have them setpgid(0, 0) and signal their group",
            )

    def _reserve(self, name: str) -> int:
        if name in self._slots:
            raise UsageError(f"actor {name!r} lives already", "choose another name")
        taken = set(self._names)
        slot = next((slot for slot in range(self._hello.slots) if slot not in taken), None)
        if slot is None:
            raise UsageError(f"more than {self._hello.slots} actors at once", "let some of them exit")
        self._slots[name] = slot
        self._names[slot] = name
        return slot

    def _slot(self, actor: str) -> int:
        slot = self._slots.get(actor)
        if slot is None:
            raise UsageError(f"no actor {actor!r} lives", f"there are {', '.join(self._slots) or 'none'}")
        return slot

    def _refusal(self, error: Refused, actor: str, call: Call) -> Exception:
        if error.reason is Refusal.BLOCKED:
            return _inside(actor, call)
        if error.reason in (Refusal.RANGE, Refusal.OP):
            return UsageError(
                f"this is not known of actors: {format_call(call)}",
                "actors have no threads, no vfork, no pid namespaces; SIGSEGV and SIGBUS are the agent's own",
            )
        return error

    def _must_succeed(self, report: reports.StepReport, name: str) -> None:
        for event in report.events:
            if isinstance(event, reports.Completed) and event.ret < 0:
                raise UsageError(f"cannot give {name!r} its credentials: {os.strerror(-event.ret)}")

    # -- reports ---------------------------------------------------------------------------------

    def _performed(self, answers: Sequence[reports.StepReport], quiet: bool = False) -> Performed:
        events: list[Event] = []
        ends: list[Exited | Stopped | Continued] = []
        spawned: dict[str, int] = {}
        for report in answers:
            if report.unsettled:
                names = [self._names.get(slot, f"slot {slot}") for slot in reports.slots_of(report.unsettled)]
                raise GuestHang(f"the guest did not come to rest: {', '.join(sorted(names))} kept running")
            for event in report.events:
                if isinstance(event, reports.Spawned):
                    name = self._name(event.slot)
                    spawned[name] = self.pids[name] = event.pid
                    self.by_pid[event.pid] = name
                elif isinstance(event, reports.Completed):
                    if not quiet:
                        events.append(self._completed(event))
                elif isinstance(event, reports.Signalled):
                    events.append(self._signalled(event))
                elif isinstance(event, reports.Exited):
                    ends.append(self._exited(event))
                elif isinstance(event, reports.Job):
                    ends.append(self._job(event))
        if len(self._slots) != len(self.pids):  # some wait for the process that is to fill them
            forking = {call.args[0] for call in self._calls.values() if call.name == "fork"}
            for name in [name for name in self._slots if name not in self.pids and name not in forking]:
                # The fork that was to fill this slot failed.
                del self._names[self._slots.pop(name)]
        blocked = frozenset([self._name(slot) for slot in reports.slots_of(answers[-1].blocked)])
        times = (answers[0].before, answers[-1].after)
        return Performed(Outcome((*events, *sorted(ends, key=lambda end: end.actor)), blocked), times, spawned)

    def _completed(self, event: reports.Completed) -> Completed:
        name = self._name(event.slot)
        call = self._calls.pop(event.slot, None)
        if call is None:
            raise GuestGarbage(f"the agent reports the end of a call that {name!r} did not make")
        result = self._result(call, event)
        if call.name in ("setpgid", "setsid") and result.errno is None:
            self._own_group.add(name)
        elif call.name == "fork" and result.errno is None and name in self._own_group:
            self._own_group.add(call.args[0])
        return Completed(name, result)

    def _result(self, call: Call, event: reports.Completed) -> Result:
        if call.name in _OPERATIONS:
            if event.ret < 0:
                return Result(-1, errno_name(-event.ret))
            out: dict[str, Any] = {}
            if call.name == "load":
                out = {"buf": b"".join(event.loads)}
            elif call.name == "fork":
                out = {"actor": call.args[0]}
            return Result(0 if call.name in ("load", "store") else event.ret, None, out)
        return decode(call, event.ret, event.loads, self.by_pid)

    def _signalled(self, event: reports.Signalled) -> Signalled:
        band = event.band if event.code in _SI_FD_CODES and event.fd >= 0 else 0
        fd = event.fd if event.code in _SI_FD_CODES and event.fd >= 0 else 0
        sender = self.by_pid.get(event.pid)
        return Signalled(self._name(event.slot), signal_name(event.signo), event.code, sender, fd, band)

    def _exited(self, event: reports.Exited) -> Exited:
        name = self._name(event.slot)
        del self._slots[name], self._names[event.slot], self.pids[name]
        self._own_group.discard(name)
        self._calls.pop(event.slot, None)
        if os.WIFSIGNALED(event.status):
            return Exited(name, None, signal_name(os.WTERMSIG(event.status)))
        return Exited(name, os.WEXITSTATUS(event.status), None)

    def _job(self, event: reports.Job) -> Stopped | Continued:
        name = self._name(event.slot)
        if os.WIFSTOPPED(event.status):
            return Stopped(name, signal_name(os.WSTOPSIG(event.status)))
        return Continued(name)

    def _name(self, slot: int) -> str:
        name = self._names.get(slot)
        if name is None:
            raise GuestGarbage(f"the agent speaks of slot {slot}, in which no actor lives")
        return name


_OPERATIONS = frozenset({"fork", "exit", "exec", "sigaction", "store", "load"})


def _inside(actor: str, call: Call) -> UsageError:
    return UsageError(
        f"{actor} cannot call {call.name!r}: it is inside a call that has not returned",
        "have another actor do what it waits for, or let time pass first: wait(100)",
    )


def operation(slot: int, raw: RawCall) -> ops.Call:
    """Return the operation that has the actor in *slot* make a call."""
    return ops.Call(
        slot,
        raw.nr,
        raw.args,
        tuple([ops.Store(addr, data) for addr, data in raw.stores]),
        tuple(
            [
                ops.Load(load.addr, load.length, ops.Bound.RET, load.scale)
                if load.scale
                else ops.Load(load.addr, load.length, ops.Bound.OK)
                for load in raw.loads
            ]
        ),
    )


def _credential_calls(credentials: Mapping[str, Any]) -> list[Call]:
    """Return the calls that give a fresh actor its credentials, groups first, the user id last."""
    calls = []
    if "groups" in credentials or "uid" in credentials:
        groups = tuple(credentials.get("groups", ()))
        calls.append(Call("setgroups", (groups, len(groups))))
    if "gid" in credentials:
        calls.append(Call("setresgid", (credentials["gid"],) * 3))
    if "uid" in credentials:
        calls.append(Call("setresuid", (credentials["uid"],) * 3))
    return calls
