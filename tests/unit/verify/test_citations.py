"""Which kernel functions the model's rules mirror, step by step."""

from __future__ import annotations

import gzip
from pathlib import Path

from ktrace.trace.session_reader import SessionReader
from ktrace.verify import citations
from ktrace.verify.replay import replay
from tests.sinks import Record
from tests.unit.report.recorded import small_session

RECORDED = Path(__file__).parents[3] / "traces" / "recorded"


def test_every_step_has_the_functions_behind_it() -> None:
    found = dict(citations.of_session(SessionReader(RECORDED / "pipe-basic.jsonl.gz")))
    assert list(found) == list(range(1, len(found) + 1))
    names = [citation.rpartition(" ")[2] for citation in found[2]]
    assert {"do_pipe2()", "alloc_pipe_info()"} <= set(names)
    assert len(names) == len(set(names))
    assert any("pipe_write()" in citation for citation in found[6])


def test_it_ends_where_the_model_does(tmp_path: Path) -> None:
    # This session's steps were made up: they have no facts, and no guest ever did them.
    assert list(citations.of_session(SessionReader(small_session(tmp_path)))) == []


def test_a_replay_reads_the_past_again_to_name_the_rule(tmp_path: Path) -> None:
    text = gzip.decompress((RECORDED / "pipe-basic.jsonl.gz").read_bytes()).decode()
    lines = text.splitlines(keepends=True)
    number = next(index for index, line in enumerate(lines) if '"head":1' in line)
    lines[number] = lines[number].replace('"head":1', '"head":2')
    file = tmp_path / "session.jsonl"
    file.write_text("".join(lines))
    sink = Record()
    assert replay(SessionReader(file), sink).status == "diverged"
    assert [item.path for item in sink.verdicts[0].differences] == ["pipe1.head"]
    assert "pipe_write()" in sink.verdicts[0].rules
    # Of all that ran in a write to a pipe, what is about pipes is named.
    assert any("pipe_write()" in rule for rule in sink.verdicts[0].rules)
    assert not [rule for rule in sink.verdicts[0].rules if "ksys_write" in rule]
