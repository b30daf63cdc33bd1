"""Make moves in a fresh guest, hold each against the model, and tell what came of it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

from ktrace.errors import GuestError, UsageError
from ktrace.fuzz.finding import Finding, of_differences, of_failure
from ktrace.fuzz.state import Move, State
from ktrace.machine.machine import Machine
from ktrace.model.build import build_model
from ktrace.state.call import Call, Completed, Outcome, Result
from ktrace.state.step import Step
from ktrace.verify.checker import Checker
from ktrace.verify.lab import Lab


class Source(Protocol):
    """Where moves come from."""

    def next(self, state: State) -> Move | None:
        """Return the next move; ``None`` ends the trial."""

    def saw(self, actor: str, result: Result) -> None:
        """Hear that a call returned."""


COMPLAINT = re.compile(r"(?:WARNING: |BUG: |Oops|general protection|KASAN|UBSAN|INFO: |list_(?:add|del) corruption)")
REFUSALS = 50
"""Moves in a row that the agent cannot encode before a trial gives up."""


@dataclass
class Done:
    """A move that was made, and what its call returned, whenever it did."""

    actor: str | None
    call: Call
    result: Result | None = None


@dataclass
class Trial:
    """What came of a series of moves.

    :param moves: those that were made, in order
    :param calls: how often each call was made; *errnos*: how it failed, by call
    :param finding: what was wrong with the last one, if anything
    """

    moves: list[Done] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    errnos: dict[str, Counter[str]] = field(default_factory=dict)
    finding: Finding | None = None

    def note(self, outcome: Outcome, pending: dict[str, Done], source: Source) -> None:
        """Note what calls returned."""
        for event in outcome.events:
            if isinstance(event, Completed) and (done := pending.pop(event.actor, None)) is not None:
                done.result = event.result
                source.saw(event.actor, event.result)
                if event.result.errno is not None:
                    self.errnos.setdefault(done.call.name, Counter())[event.result.errno] += 1


def run_trial(lab: Lab, machine: Machine, source: Source, limit: int, deadline: float | None = None) -> Trial:
    """Make up to *limit* moves, until one shows a finding.

    :param source: asked for each move with the model's state before it
    :param deadline: on the monotonic clock; no step begins after it
    """
    trial = Trial()
    checker = Checker(lambda: build_model(lab.facts))
    if differences := checker.initial(lab.look()):
        trial.finding = of_differences("the start", differences)
        return trial
    state = State(checker.model)
    pending: dict[str, Done] = {}
    printed = 0
    refused = 0
    while len(trial.moves) < limit and refused < REFUSALS:
        if deadline is not None and monotonic() >= deadline:
            break
        move = source.next(state)
        if move is None:
            break
        actor, call = move
        try:
            performed = lab.perform(actor, call)
        except UsageError:
            # It cannot be encoded: it never reached the guest.
            refused += 1
            continue
        except GuestError as error:
            trial.moves.append(Done(actor, call))
            trial.finding = of_failure(
                call.name, f"guest: {type(error).__name__}", f"{error}\n{machine.console_tail(30)}"
            )
            return trial
        refused = 0
        done = Done(actor, call)
        trial.moves.append(done)
        trial.calls[call.name] += 1
        if actor is not None:
            pending[actor] = done
        trial.finding, printed = _check(lab, machine, checker, Step(
            len(trial.moves), actor, call, "", "", performed.outcome, performed.clock, lab.look()
        ), printed)  # fmt: skip
        trial.note(performed.outcome, pending, source)
        if trial.finding is not None:
            return trial
        state.steps += 1
    return trial


def _check(lab: Lab, machine: Machine, checker: Checker, step: Step, printed: int) -> tuple[Finding | None, int]:
    """Return what is wrong with *step*, and how much the console holds now."""
    size = machine.console.path.stat().st_size
    if size > printed and (complaint := COMPLAINT.search(machine.console.text)) is not None:
        return of_failure(step.call.name, f"console: {complaint[0]}", machine.console_tail(30)), size
    try:
        differences = checker.check(step)
    except Exception as error:  # the model's own mistakes are findings, too
        return of_failure(
            step.call.name, f"model: {type(error).__name__}: {error}", f"the model failed: {error!r}"
        ), size
    if differences:
        return of_differences(step.call.name, differences), size
    return None, size
