"""The model is held against what real kernels did: recordings of the bundled workloads."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from ktrace.state.step import Step
from ktrace.trace.session import End, Header, SessionReader, Verdict
from ktrace.verify.replay import replay
from ktrace.workload.library import bundled

RECORDED = Path(__file__).parents[3] / "traces" / "recorded"


class Verdicts:
    """Keep verdicts, drop the rest."""

    def __init__(self) -> None:
        self.kept: list[Verdict] = []

    def header(self, header: Header) -> None:
        """Drop it."""

    def step(self, step: Step) -> None:
        """Drop it."""

    def verdict(self, verdict: Verdict) -> None:
        """Keep it."""
        self.kept.append(verdict)

    def end(self, end: End) -> None:
        """Drop it."""


@pytest.mark.parametrize("path", sorted(RECORDED.glob("*.gz")), ids=lambda path: path.name.partition(".")[0])
def test_the_model_says_what_the_kernel_did(path: Path) -> None:
    verdicts = Verdicts()
    end = replay(SessionReader(path), verdicts)
    assert verdicts.kept == []
    assert end.status == "agreed"
    assert end.message == ""
    assert end.steps > 0


def test_every_workload_is_recorded() -> None:
    assert {path.name.partition(".")[0] for path in RECORDED.glob("*.gz")} == set(bundled())


@pytest.mark.parametrize(
    ("name", "right", "wrong", "path"),
    [
        ("pipe-basic", '"r_counter":1,', '"r_counter":7,', "pipe1.r_counter"),
        ("sem-basic", '"semval":3,', '"semval":4,', "sem 0.sems[2].semval"),
        ("tcp-loopback", '"TCP_LISTEN"', '"TCP_CLOSE"', "sock1.sk_state"),
    ],
)
def test_a_recording_that_lies_is_found(tmp_path: Path, name: str, right: str, wrong: str, path: str) -> None:
    text = gzip.decompress((RECORDED / f"{name}.jsonl.gz").read_bytes()).decode()
    assert right in text
    changed = tmp_path / "session.jsonl"
    changed.write_text(text.replace(right, wrong, 1))
    verdicts = Verdicts()
    assert replay(SessionReader(changed), verdicts).status == "diverged"
    assert [item.path for item in verdicts.kept[0].differences] == [path]
