"""Put changed steps before the check: how much of what is observed is predicted?"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from ktrace.errors import REPORT, InternalError, KtraceError, ModelError, UsageError
from ktrace.fuzz.perturbing.change import Change, choose_changes
from ktrace.model.build import build_model
from ktrace.state.step import Step
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.checker import Checker
from ktrace.verify.notify import StepsDone, uncounted


@dataclass
class Kind:
    """What came of the changes of one kind of leaf.

    :ivar changed: how many; *noticed* of these, *later* of the noticed: not at the step itself
    :ivar rules: what admitted the others, by the rule's text; empty where no rule did
    """

    changed: int = 0
    noticed: int = 0
    later: int = 0
    rules: Counter[str] = field(default_factory=Counter)


@dataclass
class Tally:
    """What came of all changes.

    :ivar failures: changes that the model fell over
    """

    kinds: dict[str, Kind] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    @property
    def changed(self) -> int:
        """Return how many leaves were changed."""
        return sum(kind.changed for kind in self.kinds.values())

    @property
    def noticed(self) -> int:
        """Return how many of them the check noticed."""
        return sum(kind.noticed for kind in self.kinds.values())

    def unnoticed(self) -> list[tuple[str, Kind]]:
        """Return the kinds of which some were not noticed, those with most first."""
        found = [(name, kind) for name, kind in self.kinds.items() if kind.noticed < kind.changed]
        return sorted(found, key=lambda item: (item[1].noticed - item[1].changed, item[0]))

    def as_dict(self) -> dict[str, Any]:
        """Return it as data."""
        return {
            "changed": self.changed,
            "noticed": self.noticed,
            "kinds": {
                name: {"changed": kind.changed, "noticed": kind.noticed, "later": kind.later, "rules": dict(kind.rules)}
                for name, kind in sorted(self.kinds.items())
            },
            "failures": self.failures,
        }

    def add(self, change: Change, said: dict[str, Any], allowed: set[tuple[str, str, str]]) -> None:
        """Count one change.

        :param said: what the check said of it
        :param allowed: rule, field and value of every choice of the step as it was
        """
        kind = self.kinds.setdefault(change.kind, Kind())
        kind.changed += 1
        if said["failed"]:
            self.failures.append(f"{change}: {said['failed']}")
        kind.noticed += said["noticed"]
        kind.later += said["noticed"] and said["after"] > 0
        if not said["noticed"]:
            new = {tuple(choice) for choice in said["choices"]} - allowed
            kind.rules[" and ".join(sorted({rule for rule, _, _ in new})) or NO_RULE] += 1


NO_RULE = "no rule"


def perturb(reader: SessionReader, seed: str, count: int, tally: Tally, progress: StepsDone = uncounted) -> None:
    """Change up to *count* leaves of each step of a session, one at a time, and tell *tally* what came of it.

    A change is noticed where the check finds a difference at that step or, the rest being as it was recorded, at a
    later one: what the model took over once must stay.

    :param progress: told of the steps that were changed
    :raises UsageError: the session cannot be read, or diverges as it is, or the model does not know one of its calls
    """
    header, steps = reader.header, list(reader.steps())
    checker = Checker(lambda: build_model(header.facts))
    if checker.initial(header.initial):
        raise _diverges(reader, 0)
    before = header.initial
    calls: dict[str, str] = {}
    tried = Counter({name: kind.changed for name, kind in tally.kinds.items()})
    for number, step in enumerate(steps):
        if step.actor is not None:
            calls[step.actor] = step.call.name
        random = Random(f"{seed}/{header.title}/{step.number}")
        changes = choose_changes(random, step, before, calls, count, tried)
        said = [_apart(partial(_check, checker, steps, number, change)) for change in changes]
        if checker.check(step):
            raise _diverges(reader, step.number)
        allowed = {(str(choice.rule), choice.path, str(choice.taken)) for choice in checker.choices}
        for change, answer in zip(changes, said, strict=True):
            tally.add(change, answer, allowed)
        before = step.world
        progress(step.number, len(steps))


def _diverges(reader: SessionReader, number: int) -> UsageError:
    where = f"at step {number}" if number else "before its first step"
    return UsageError(
        f"{str(reader.path)!r} diverges {where}, without any change", f"see how: ktrace check {reader.path}"
    )


def _check(checker: Checker, steps: Sequence[Step], number: int, change: Change) -> dict[str, Any]:
    """Say what the check finds in a session with one change, from step *number* (from 0 on) on."""
    choices: list[tuple[str, str, str]] = []
    step = change.apply(steps[number])
    for after, each in enumerate([step, *steps[number + 1 :]]):
        try:
            differences = checker.check(each)
        except ModelError as error:
            # What follows from a change may be too much for the model; what a step itself shows must not be.
            return {"noticed": True, "after": after, "choices": [], "failed": "" if after else error.message}
        except KtraceError:
            return {"noticed": True, "after": after, "choices": [], "failed": ""}
        if differences:
            return {"noticed": True, "after": after, "choices": [], "failed": ""}
        if not after:
            choices = [(str(choice.rule), choice.path, str(choice.taken)) for choice in checker.choices]
    return {"noticed": False, "after": 0, "choices": choices, "failed": ""}


def _apart(function: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what *function* returns in a child: nothing that it does to the model stays.

    :raises InternalError: it raised something, or its process was ended
    """
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            try:
                said = function()
            except Exception as error:
                said = {"raised": InternalError.of(error).message}
            with os.fdopen(theirs, "w") as stream:
                json.dump(said, stream)
            status = 0
        finally:
            os._exit(status)
    os.close(theirs)
    with os.fdopen(ours) as stream:
        text = stream.read()
    _, ended = os.waitpid(child, 0)
    if ended:
        raise InternalError(f"what checks a changed step ended with {os.waitstatus_to_exitcode(ended)}", REPORT)
    answer: dict[str, Any] = json.loads(text)
    if "raised" in answer:
        raise InternalError(answer["raised"], REPORT)
    return answer
