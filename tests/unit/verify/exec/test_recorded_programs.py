"""Programs that were run in a guest once: every call agrees with the model of today, and a changed answer does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ktrace.errors import NotModelled
from ktrace.model.build import build_model
from ktrace.state.call import Call, Completed, Result
from ktrace.state.step import Step
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.checker import Checker

RECORDED = Path(__file__).parent / "recorded"
PROGRAMS = ("pipeline", "sysv", "threads")


def reader(name: str) -> SessionReader:
    return SessionReader(RECORDED / f"{name}.jsonl.gz")


def checker(session: SessionReader) -> Checker:
    made = Checker(lambda: build_model(session.header.facts))
    assert made.initial(session.header.initial) == ()
    return made


def answered(step: Step, result: Result) -> Step:
    """Return *step* with another answer of its actor's call."""
    events = tuple(
        replace(event, result=result) if isinstance(event, Completed) and event.actor == step.actor else event
        for event in step.outcome.events
    )
    return replace(step, outcome=replace(step.outcome, events=events))


def until(session: SessionReader, made: Checker, name: str) -> Step:
    """Check up to the first call *name*, and return that."""
    for step in session.steps():
        if step.call.name == name:
            return step
        assert made.check(step) == ()
    raise AssertionError(f"no {name}")


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_call_agrees(name: str) -> None:
    session = reader(name)
    made = checker(session)
    for step in session.steps():
        assert made.check(step) == (), step.text
    assert made.steps > 90


CHANGED = (
    ("pipeline", "pipe2", Result(-1, "EMFILE")),
    ("pipeline", "dup2", Result(7)),
    ("pipeline", "rt_sigaction", Result(-1, "EINVAL")),
    ("pipeline", "getppid", Result(1)),
    ("sysv", "shmat", Result(0x10001)),
    ("sysv", "semtimedop", Result(-1, "EAGAIN")),
    ("threads", "fork", Result(-1, "EPERM")),
)


@pytest.mark.parametrize(("name", "call", "result"), CHANGED)
def test_another_answer_is_noticed(name: str, call: str, result: Result) -> None:
    session = reader(name)
    made = checker(session)
    try:
        step = until(session, made, call)
    except AssertionError as error:
        pytest.fail(str(error))
    assert made.check(answered(step, result)) != ()


def test_what_is_passed_over_changes_nothing() -> None:
    """A call that is on the list by mistake shows as what it changed."""
    session = reader("pipeline")
    made = checker(session)
    step = until(session, made, "close")
    assert made.check(replace(step, call=Call("futex", (0, 0, 0, 0, 0, 0)))) != ()


def test_an_unknown_call_that_changes_something_is_not_called_wrong() -> None:
    session = reader("pipeline")
    made = checker(session)
    step = until(session, made, "close")
    with pytest.raises(NotModelled, match="io_uring_setup is not modelled, and it has changed"):
        made.check(replace(step, call=Call("io_uring_setup", (0, 0, 0, 0, 0, 0))))
