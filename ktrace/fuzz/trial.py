"""Make actions in a fresh guest, hold each against the model, and tell what came of it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Protocol

from ktrace.agent.syscalls import make_call
from ktrace.errors import GuestError, ModelError, UsageError
from ktrace.fuzz.finding import CONTRADICTION, Finding, of_differences, of_failure, of_failures
from ktrace.fuzz.gathered import gathered
from ktrace.fuzz.leaks import Census, Kept, leaked, take
from ktrace.fuzz.model_view import Action, ModelView
from ktrace.fuzz.pool import Pool
from ktrace.fuzz.record import Record, keep_record
from ktrace.image.image import Image
from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.invariants.all import validate
from ktrace.machine.machine import Machine
from ktrace.model.build import build_model
from ktrace.model.fs.inode import Inode
from ktrace.model.kernel import Kernel
from ktrace.model.net.inet.tcp.tcp_timer import waits_for_timer
from ktrace.state.call import Call, Completed, Outcome, Result
from ktrace.state.step import Step
from ktrace.uapi.signal import SIGNAL_NUMBERS
from ktrace.uapi.socket import AF_UNIX, SOCK_DGRAM
from ktrace.verify.checker import Checker
from ktrace.verify.lab import KernelCache, Lab
from ktrace.verify.observe import observe_step


class Source(Protocol):
    """Where actions come from."""

    def next(self, state: ModelView) -> Action | None:
        """Return the next action; ``None`` ends the trial."""

    def saw(self, actor: str, result: Result) -> None:
        """Hear that a call returned."""


COMPLAINT = re.compile(r"(?:WARNING: |BUG: |Oops|general protection|KASAN|UBSAN|INFO: |list_(?:add|del) corruption)")
COMPLAINT_LINES = 30
"""So many of its lines are shown, from where it begins."""
NUMBERS = re.compile(r"0x[0-9a-f]+|\d+")
GRACE_MS = (16, 24, 48, 96, 120)
"""How long, time after time, what RCU and work queues free may take to be gone: mostly it is after four jiffies."""

REFUSALS = 50
"""Actions in a row that the agent cannot encode before a trial gives up."""


@dataclass
class Done:
    """An action that was made, and what its call returned, whenever it did."""

    actor: str | None
    call: Call
    result: Result | None = None


@dataclass
class Trial:
    """What came of a series of actions.

    :param actions: those that were made, in order
    :param ends: how many steps were made, and checked, besides: to end it, and see what is left
    :param calls: how often each call was made; *errnos*: how it failed, by call
    :param finding: what was wrong with the last one, if anything
    :param unmodelled: the last one's call, if the model does not know what it asks for
    :param session: where the steps that led to the finding are kept, if they are
    """

    actions: list[Done] = field(default_factory=list)
    ends: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    errnos: dict[str, Counter[str]] = field(default_factory=dict)
    finding: Finding | None = None
    unmodelled: str | None = None
    session: Path | None = None

    def note(self, outcome: Outcome, pending: dict[str, Done], source: Source) -> None:
        """Note what calls returned."""
        for event in outcome.events:
            if isinstance(event, Completed) and (done := pending.pop(event.actor, None)) is not None:
                done.result = event.result
                source.saw(event.actor, event.result)
                if event.result.errno is not None:
                    self.errnos.setdefault(done.call.name, Counter())[event.result.errno] += 1


def run_trial(
    lab: Lab,
    machine: Machine,
    source: Source,
    limit: int,
    deadline: float | None = None,
    record: Record | None = None,
    before: Census | None = None,
) -> Trial:
    """Make up to *limit* actions, until one shows a finding; in the end, check memory against itself.

    Then kill all actors, and see whether anything of theirs is left.

    :param source: asked for each action with the model's state before it
    :param deadline: on the monotonic clock; no step begins after it
    :param record: takes the steps
    :param before: what every guest like this one has at its start; ``None``: it is counted
    """
    record = record or Record(lab)
    trial = Trial()
    before = take(lab.kernel) if before is None else before
    checker = Checker(lambda: build_model(lab.facts, just_read=True))
    if differences := checker.initial(record.initial):
        trial.finding = of_differences("the start", differences)
        return trial
    state = ModelView(checker.model)
    pending: dict[str, Done] = {}
    observer = Observer(lab, machine, checker, record)
    refused = 0
    while len(trial.actions) < limit and refused < REFUSALS:
        if deadline is not None and monotonic() >= deadline:
            break
        try:
            action = source.next(state)
        except UsageError:
            # It thought of a number that no member of a struct holds.
            refused += 1
            continue
        if action is None:
            break
        actor, call = action
        try:
            step = observer.observe(len(trial.actions) + 1, actor, call)
        except UsageError:
            # It cannot be encoded: it never reached the guest.
            refused += 1
            continue
        except GuestError as error:
            trial.actions.append(Done(actor, call))
            trial.finding = observer.failure(call, error)
            return trial
        refused = 0
        done = Done(actor, call)
        trial.actions.append(done)
        trial.calls[call.name] += 1
        if actor is not None:
            pending[actor] = done
        try:
            trial.finding = observer.check(step)
        except NotModelled as error:
            trial.unmodelled = f"{call.name}: {error}"
            return trial
        trial.note(step.outcome, pending, source)
        if trial.finding is not None:
            return trial
        state.steps += 1
    if trial.actions and (violations := validate(lab.kernel)):
        kinds = frozenset(f"{CONTRADICTION}{NUMBERS.sub('N', item.where)}" for item in violations)
        trial.finding = Finding(kinds, trial.actions[-1].call.name, "\n".join(map(str, violations)))
    else:
        _audit(lab, observer, trial, state, before)
    return trial


def attempt(
    pool: Pool,
    image: Image,
    kernels: KernelCache,
    source: Source,
    limit: int,
    deadline: float | None = None,
    keep: bool = False,
) -> Trial:
    """Make one trial in a fresh guest of *pool*.

    :param keep: write what leads to a finding as a session, below the scratch directory of *pool*
    """
    with pool.guest() as machine:
        lab = Lab(machine, image.vmlinux, kernels, facts=pool.facts, hello=machine.hello)
        record = Record(lab)
        if pool.facts is None or pool.census is None:
            pool.facts, pool.census = lab.facts, take(lab.kernel)
        trial = run_trial(lab, machine, source, limit, deadline, record, pool.census)
        if keep and trial.finding is not None:
            trial.session = keep_record(record, pool, image, lab.hello.release, trial.finding)
        return trial


def _audit(lab: Lab, observer: Observer, trial: Trial, state: ModelView, before: Census) -> None:
    """Kill every actor, and note what is left of them once time was given to free it."""
    ends: list[Done] = []
    left = _left(lab, observer, trial, state, before, ends)
    trial.ends = len(ends)
    if trial.finding is None and left:
        text = "\n".join(f"{name}: {count:+} when all actors are dead" for name, count in sorted(left.items()))
        trial.finding = of_failures("the end", [f"left over: {name}" for name in left], text)
    if trial.finding is not None:
        trial.actions += ends
        trial.ends = 0


def _left(
    lab: Lab, observer: Observer, trial: Trial, state: ModelView, before: Census, ends: list[Done]
) -> dict[str, int]:
    """Return what is left once all actors were killed, by slab cache, unless a step of that shows a finding.

    :param ends: gets the steps
    """

    def step(actor: str | None, call: Call) -> bool:
        """Make a step, and tell whether it shows nothing."""
        ends.append(Done(actor, call))
        trial.finding = _step(observer, state.number + len(ends), call, actor)
        return trial.finding is None

    kill = SIGNAL_NUMBERS["SIGKILL"]
    for task in state.tasks():
        if task.name in state.kernel.tasks and not step(None, make_call("kill", task.name, kill)):
            return {}
    if _travel(state.kernel):
        # What refers to itself is collected when some AF_UNIX socket is closed next (unix_release_sock()).
        name = "Collector"
        for actor, call in (
            (None, make_call("spawn", name, {})),
            (name, make_call("socket", AF_UNIX, SOCK_DGRAM, 0)),
            (None, make_call("kill", name, kill)),
        ):
            if not step(actor, call):
                return {}
    left: dict[str, int] = {}
    # Those that travel still are forgotten for good (known bug unix-gc-forgets), with all that they hold.
    for grace in () if state.kernel.net.inet.held_back or _travel(state.kernel) else GRACE_MS:
        if not step(None, make_call("wait", grace)):
            return {}
        after, kept = take(lab.kernel), _kept(state.kernel)
        left = leaked(before, after, kept) and leaked(before, after, kept, gathered(lab.kernel))
        if not left:
            break
    return left


def _travel(kernel: Kernel) -> bool:
    """Tell whether sockets of AF_UNIX are left, which can only be in messages."""
    return any(socket.sk is not None and socket.sk.family == "AF_UNIX" for socket in kernel.net.sockets.values())


def _kept(kernel: Kernel) -> Kept:
    """Return what dead actors leave: names, and objects of the initial IPC namespace."""
    ns = kernel.ipc.init_ipc_ns
    objects = sum(len(ids.idr) for ids in (ns.sem_ids, ns.msg_ids, ns.shm_ids))
    return Kept(len(_named(kernel.fs.root)), len(ns.shm_ids.idr), objects)


def _named(directory: Inode) -> set[int]:
    """Return which inodes have a name below *directory*."""
    found: set[int] = set()
    for inode in directory.entries.values():
        found |= {id(inode)} | _named(inode)
    return found


def _step(observer: Observer, number: int, call: Call, actor: str | None = None) -> Finding | None:
    try:
        return observer.check(observer.observe(number, actor, call))
    except NotModelled:
        return None
    except GuestError as error:
        return observer.failure(call, error)


class NotModelled(Exception):
    """The model says itself that it does not know what was asked for."""


class Observer:
    """Look at the guest after each step from every side.

    :param record: takes the steps
    """

    def __init__(self, lab: Lab, machine: Machine, checker: Checker, record: Record | None = None) -> None:
        self._lab = lab
        self._record = record
        self._machine = machine
        self._checker = checker

    def observe(self, number: int, actor: str | None, call: Call) -> Step:
        """Make an action and look; where a timer of TCP may fire, the guest's clock stands still between actions.

        So it does not fire because the host is busy.

        :raises UsageError, GuestError: see :func:`observe_step`
        """
        if self._machine.paused:
            self._machine.resume()
        step = observe_step(self._lab, number, actor, call, after_call=self._hold)
        if self._record is not None:
            self._record.add(step)
        return step

    def _hold(self, _number: int, _lab: Lab) -> None:
        if waits_for_timer(self._checker.model):
            self._machine.pause()

    def check(self, step: Step) -> Finding | None:
        """Return what is wrong with a step.

        :raises NotModelled: nobody can tell
        """
        name = step.call.name
        if (complaint := COMPLAINT.search("\n".join(step.console))) is not None:
            return self._complained(name, complaint)
        try:
            differences = self._checker.check(step)
        except UsageError as error:
            raise NotModelled(error.message) from error
        except ModelError as error:
            cause = error.__cause__ or error
            return of_failure(name, f"model: {cause!r}", f"the model failed: {cause!r}")
        return of_differences(name, differences) if differences else None

    def failure(self, call: Call, error: GuestError) -> Finding:
        """Return what is wrong with a step that could not be observed."""
        if isinstance(error, CorruptStructure):
            complaint = COMPLAINT.search("\n".join(self._machine.console.fresh()))
            if complaint is not None:
                return self._complained(call.name, complaint)
            return of_failure(call.name, f"corrupt: {type(error).__name__}", str(error))
        tail = self._machine.console_tail(30)
        return of_failure(call.name, f"guest: {type(error).__name__}", f"{error}\n{tail}")

    @staticmethod
    def _complained(name: str, complaint: re.Match[str]) -> Finding:
        """Return what the kernel complains of on its console."""
        begin = complaint.string.rfind("\n", 0, complaint.start()) + 1
        lines = complaint.string[begin:].splitlines()[:COMPLAINT_LINES]
        return of_failure(name, f"console: {complaint[0]}", "\n".join(lines))
