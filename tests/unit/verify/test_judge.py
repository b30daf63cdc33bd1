"""Steps are judged alike, wherever they come from."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ktrace.errors import GuestDied, InternalError, NotModelled
from ktrace.state.call import Call
from ktrace.state.step import Step
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.judge import Observed, judge
from tests.sinks import Record

RECORDED = Path(__file__).parents[3] / "traces" / "recorded" / "pipe-basic.jsonl.gz"


def steps(complaint_at: int = 0) -> Iterator[Observed]:
    for step in SessionReader(RECORDED).steps():
        yield step, ("a complaint",) if step.number == complaint_at else ()


def wrong(step: Step) -> Step:
    """Say that the step happened to an actor that sleeps."""
    return replace(step, outcome=replace(step.outcome, blocked=frozenset({"A"})))


class Paths:
    """Expect one path, never met."""

    def check(self, step: Step) -> tuple[str, ...]:
        """Have nothing against it."""
        return ()

    def unmet(self) -> tuple[str, ...]:
        """Return the one."""
        return ("no step to hold it against",)


WAYS: list[dict[str, Any]] = [{}, {"ahead": True}, {"apart": True}]


@pytest.mark.parametrize("way", WAYS)
def test_what_agrees_is_counted_and_told(way: dict[str, Any]) -> None:
    record = Record()
    end = judge(SessionReader(RECORDED).header, steps(), record, **way)
    assert (end.status, end.steps) == ("agreed", len(record.steps))
    assert record.ends == [(end, "")]
    assert record.verdicts == []


@pytest.mark.parametrize("way", WAYS)
def test_a_complaint_ends_it_at_its_step(way: dict[str, Any]) -> None:
    record = Record()
    end = judge(SessionReader(RECORDED).header, steps(complaint_at=3), record, **way)
    assert (end.status, end.steps) == ("diverged", 3)
    assert [(verdict.number, verdict.complaints) for verdict in record.verdicts] == [(3, ("a complaint",))]


@pytest.mark.parametrize("way", WAYS)
def test_a_failure_after_a_divergence_is_its_consequence(way: dict[str, Any]) -> None:
    def failing(broken: bool) -> Iterator[Observed]:
        for step, _ in steps():
            if step.number == 4:
                raise GuestDied("gone")
            yield (wrong(step) if broken and step.number == 3 else step), ()

    record = Record()
    header = SessionReader(RECORDED).header
    assert judge(header, failing(broken=True), record, **way).status == "diverged"
    assert record.verdicts[0].number == 3
    with pytest.raises(GuestDied):
        judge(header, failing(broken=False), Record(), **way)


@pytest.mark.parametrize("way", WAYS)
def test_what_differs_and_whose_rule_it_is_are_the_same_wherever_it_is_checked(way: dict[str, Any]) -> None:
    told = [(wrong(step) if step.number == 5 else step, ()) for step, _ in steps()]
    record = Record()
    history = lambda: (step for step, _ in told)  # noqa: E731
    end = judge(SessionReader(RECORDED).header, iter(told), record, history=history, **way)
    (verdict,) = record.verdicts
    assert (end.status, end.steps, verdict.number) == ("diverged", 5, 5)
    assert [str(item) for item in verdict.differences] and verdict.differences[0].path == "A"
    plain = Record()
    judge(SessionReader(RECORDED).header, iter(told), plain, history=history)
    assert verdict == plain.verdicts[0]


@pytest.mark.parametrize("way", WAYS)
def test_what_the_model_does_not_know_is_said_alike(way: dict[str, Any]) -> None:
    told = [(replace(step, call=Call("mount")) if step.number == 4 else step, ()) for step, _ in steps()]
    with pytest.raises(NotModelled) as caught:
        judge(SessionReader(RECORDED).header, iter(told), Record(), **way)
    assert (caught.value.step, caught.value.what) == (4, "mount is not modelled, and it has changed fdtable1.fds[0]")
    assert caught.value.hint is not None and caught.value.message.startswith("step 4: ")


def test_a_process_that_checks_and_is_gone_is_a_bug_of_ours_and_leaves_none_behind() -> None:
    def ending() -> Iterator[Observed]:
        for step, _ in steps():
            if step.number == 3:
                (child,) = multiprocessing.active_children()
                child.kill()
                child.join()
            yield step, ()

    with pytest.raises(InternalError, match="the process that checks has ended"):
        judge(SessionReader(RECORDED).header, ending(), Record(), apart=True)
    assert multiprocessing.active_children() == []


def test_paths_that_nothing_met_are_a_verdict_unless_steps_are_missing() -> None:
    header = SessionReader(RECORDED).header
    record = Record()
    assert judge(header, steps(), record, paths=Paths()).status == "diverged"
    assert record.verdicts[0].complaints == ("no step to hold it against",)
    end = judge(header, steps(), Record(), paths=Paths(), cut_off=lambda: "torn")
    assert (end.status, end.message) == ("cut off", "torn")
    assert end.exit_code == 2
    nothing = judge(header, iter(()), Record())
    assert (nothing.status, nothing.exit_code) == ("empty", 2)
