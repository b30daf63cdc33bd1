"""Put changed steps before the check: how much of what is observed is predicted?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from ktrace.errors import KtraceError, ModelError, UsageError
from ktrace.fuzz.perturbing.apart import apart, side_by_side
from ktrace.fuzz.perturbing.change import Change
from ktrace.fuzz.perturbing.plan import Plan
from ktrace.fuzz.perturbing.tally import Answer, Tally
from ktrace.model.build import build_model
from ktrace.state.step import Step
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.checker import Checker
from ktrace.verify.notify import StepsDone, uncounted

_NUMBERS = re.compile(r"\d+")


def perturb(plans: Sequence[Plan], jobs: int = 1, progress: StepsDone = uncounted) -> Tally:
    """Make the changes of *plans*, one at a time, and return what came of them.

    A change is noticed where the check finds a difference at that step or, the rest being as it was recorded, at a
    later one: what the model took over once must stay.

    :param jobs: how many sessions are gone through at the same time
    :param progress: told of the steps that were changed
    :raises UsageError: a session cannot be read, or diverges as it is, or the model does not know one of its calls
    """
    tally = Tally()
    total, done = sum(each.steps for each in plans), 0
    if jobs == 1:
        for each in plans:
            for index, answer in _answers(each):
                tally.add(answer)
                progress(done + index, total)
            done += each.steps
        return tally
    for each, answers in zip(plans, side_by_side([partial(_all_of, each) for each in plans], jobs), strict=True):
        for data in answers:
            tally.add(Answer(**{**data, "rules": tuple(data["rules"])}))
        done += each.steps
        progress(done, total)
    return tally


def _all_of(plan: Plan) -> list[dict[str, Any]]:
    return [asdict(answer) for _, answer in _answers(plan)]


def _answers(plan: Plan) -> Iterator[tuple[int, Answer]]:
    """Yield what the check says of each change of a session, with the index of its step."""
    reader = SessionReader(plan.path)
    header, steps = reader.header, list(reader.steps())
    checker = Checker(lambda: build_model(header.facts))
    if checker.initial(header.initial):
        raise _diverges(reader, 0)
    for index, step in enumerate(steps):
        changes = plan.changes.get(index, ())
        said = [apart(partial(_check, checker, steps, index, change)) for change in changes]
        if checker.check(step):
            raise _diverges(reader, step.number)
        allowed = _choices(checker)
        for change, answer in zip(changes, said, strict=True):
            taken = {tuple(choice) for choice in answer.pop("choices")}
            # What the model would have had itself is no choice: then a rule had admitted what was recorded there.
            gone = {choice for choice in set(allowed) - taken if _NUMBERS.sub("", choice[1]) == change.kind}
            rules = tuple({rule for rule, _, _ in taken - set(allowed) or gone})
            yield index, Answer(change.kind, f"{header.title}, step {step.number}, {change}", **answer, rules=rules)


def _diverges(reader: SessionReader, number: int) -> UsageError:
    where = f"at step {number}" if number else "before its first step"
    return UsageError(
        f"{str(reader.path)!r} diverges {where}, without any change", f"see how: ktrace check {reader.path}"
    )


def _check(checker: Checker, steps: Sequence[Step], index: int, change: Change) -> dict[str, Any]:
    """Say what the check finds in a session with one change, from step *index* (from 0 on) on."""
    noticed: dict[str, Any] = {"noticed": True, "after": 0, "choices": [], "failed": ""}
    choices: list[tuple[str, str, str]] = []
    for after, each in enumerate([change.apply(steps[index]), *steps[index + 1 :]]):
        noticed["after"] = after
        try:
            differences = checker.check(each)
        except ModelError as error:
            # What follows from a change may be too much for the model; what a step itself shows must not be.
            return {**noticed, "failed": "" if after else error.message}
        except KtraceError:
            return noticed
        if differences:
            return noticed
        if not after:
            choices = _choices(checker)
    return {**noticed, "noticed": False, "after": 0, "choices": choices}


def _choices(checker: Checker) -> list[tuple[str, str, str]]:
    """Return rule, field and value of every choice of the last step."""
    return [(str(choice.rule), choice.path, str(choice.taken)) for choice in checker.choices]
