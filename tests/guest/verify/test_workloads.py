"""Every bundled workload agrees with the model, and its recording still agrees without the guest."""

from __future__ import annotations

from pathlib import Path

import pytest

from ktrace.state.step import Step
from ktrace.trace.session import Verdict
from ktrace.trace.session_reader import SessionReader
from ktrace.trace.session_writer import SessionWriter
from ktrace.verify.lab import Lab
from ktrace.verify.replay import replay
from ktrace.verify.run import run_script
from ktrace.workload.library import bundled, load
from tests.sinks import Record


@pytest.mark.parametrize("name", bundled())
def test_the_kernel_does_what_the_model_says(name: str, lab: Lab, tmp_path: Path) -> None:
    with SessionWriter(tmp_path) as writer:
        end = run_script(load(name), lab, writer, {})
    events = list(SessionReader(tmp_path).events())
    assert [event for event in events if isinstance(event, Verdict)] == []
    assert end.status == "agreed"
    assert sum(isinstance(event, Step) for event in events) == end.steps > 0
    assert replay(SessionReader(tmp_path), Record()) == end


def test_there_are_workloads_enough() -> None:
    assert len(bundled()) >= 15
