"""Steps are judged alike, wherever they come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ktrace.errors import GuestDied
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


@pytest.mark.parametrize("ahead", [False, True])
def test_what_agrees_is_counted_and_told(ahead: bool) -> None:
    record = Record()
    end = judge(SessionReader(RECORDED).header, steps(), record, ahead=ahead)
    assert (end.status, end.steps) == ("agreed", len(record.steps))
    assert record.ends == [(end, "")]
    assert record.verdicts == []


@pytest.mark.parametrize("ahead", [False, True])
def test_a_complaint_ends_it_at_its_step(ahead: bool) -> None:
    record = Record()
    end = judge(SessionReader(RECORDED).header, steps(complaint_at=3), record, ahead=ahead)
    assert (end.status, end.steps) == ("diverged", 3)
    assert [(verdict.number, verdict.complaints) for verdict in record.verdicts] == [(3, ("a complaint",))]


@pytest.mark.parametrize("ahead", [False, True])
def test_a_failure_after_a_divergence_is_its_consequence(ahead: bool) -> None:
    def failing(broken: bool) -> Iterator[Observed]:
        for step, _ in steps():
            if step.number == 4:
                raise GuestDied("gone")
            yield (wrong(step) if broken and step.number == 3 else step), ()

    record = Record()
    header = SessionReader(RECORDED).header
    assert judge(header, failing(broken=True), record, ahead=ahead).status == "diverged"
    assert record.verdicts[0].number == 3
    with pytest.raises(GuestDied):
        judge(header, failing(broken=False), Record(), ahead=ahead)


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
