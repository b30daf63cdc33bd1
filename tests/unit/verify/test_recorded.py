"""The model is held against what real kernels did: recordings of the bundled workloads."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from ktrace.errors import UsageError
from ktrace.trace.session import Choices
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.path_replay import RecordedPaths, expectations_of
from ktrace.verify.replay import replay
from ktrace.workload.library import bundled
from tests.sinks import Record

RECORDED = Path(__file__).parents[3] / "traces" / "recorded"
FUNCTIONS = RECORDED / "functions"


@pytest.mark.parametrize("path", sorted(RECORDED.glob("*.gz")), ids=lambda path: path.name.partition(".")[0])
def test_the_model_says_what_the_kernel_did(path: Path) -> None:
    record = Record()
    end = replay(SessionReader(path), record)
    assert record.verdicts == []
    assert end.status == "agreed"
    assert end.message == ""
    assert end.steps > 0


@pytest.mark.parametrize(
    "path", sorted(RECORDED.glob("lab-*/*.gz")), ids=lambda path: f"{path.parent.name}-{path.name.partition('.')[0]}"
)
def test_the_model_says_what_other_kernels_did(path: Path) -> None:
    record = Record()
    end = replay(SessionReader(path), record)
    assert record.verdicts == []
    assert (end.status, end.message) == ("agreed", "")
    bugs = {name for choices in record.chosen for name in known_bugs(choices)}
    assert bugs == KNOWN_BUGS.get((path.parent.name, path.name.partition(".")[0]), set())


KNOWN_BUGS = {
    ("lab-7.3", "udp-held-connect"): {"udp6-cork-connect"},
    ("lab-6.12", "pipe-corners"): {"splice-empty-errno-512"},
    ("lab-6.12", "unix-gc-forgets"): {"unix-gc-forgets"},
    ("lab-7.3", "socket-oob"): {"unix-fionread-oob"},
    ("lab-7.3", "unix-epollout"): {"unix-epollout-failed-send"},
}
"""What of the kernels' own bugs the recordings show."""


def known_bugs(choices: Choices) -> set[str]:
    return {rule.known_bug for rule in choices.by_rule() if rule.known_bug}


def test_a_fact_that_is_turned_round_is_found(tmp_path: Path) -> None:
    text = gzip.decompress((RECORDED / "lab-7.3" / "pipe-stat.jsonl.gz").read_bytes()).decode()
    assert '"pipeanon_fops":true' in text
    changed = tmp_path / "session.jsonl"
    changed.write_text(text.replace('"pipeanon_fops":true', '"pipeanon_fops":false', 1))
    record = Record()
    assert replay(SessionReader(changed), record).status == "diverged"
    assert {item.path.partition(".")[2] for item in record.verdicts[0].differences} >= {"f_op", "i_fop"}


@pytest.mark.parametrize("path", sorted(FUNCTIONS.glob("*.gz")), ids=lambda path: path.name.partition(".")[0])
def test_the_kernel_went_the_ways_that_are_expected(path: Path) -> None:
    reader = SessionReader(path)
    expectations, source = expectations_of(reader.header)
    assert source == path.name.replace(".jsonl.gz", ".paths")
    ways = RecordedPaths(expectations, source)
    assert [complaint for step in reader.steps() for complaint in ways.check(step)] == []
    assert ways.unmet() == ()
    assert ways.checked >= len(expectations)


def test_a_recorded_tree_that_lacks_a_function_is_found(tmp_path: Path) -> None:
    text = gzip.decompress((FUNCTIONS / "pipe-basic.jsonl.gz").read_bytes()).decode()
    changed = tmp_path / "session.jsonl"
    changed.write_text(text.replace('"create_pipe_files"', '"create_no_files"'))
    record = Record()
    assert replay(SessionReader(changed), record).status == "diverged"
    assert record.verdicts[0].differences == ()
    assert "create_pipe_files" in record.verdicts[0].complaints[0]
    assert "pipe-basic.paths" in record.verdicts[0].complaints[0]


def test_paths_of_ones_own(tmp_path: Path) -> None:
    paths = tmp_path / "mine.paths"
    paths.write_text("pipe2: do_pipe2 > no_such_function\n")
    record = Record()
    assert replay(SessionReader(FUNCTIONS / "pipe-basic.jsonl.gz"), record, paths).status == "diverged"
    assert "mine.paths:1: A's pipe2 must go through do_pipe2 > no_such_function" in record.verdicts[0].complaints[0]
    with pytest.raises(UsageError, match="no such file"):
        replay(SessionReader(FUNCTIONS / "pipe-basic.jsonl.gz"), record, tmp_path / "none.paths")


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
    record = Record()
    assert replay(SessionReader(changed), record).status == "diverged"
    assert [item.path for item in record.verdicts[0].differences] == [path]
