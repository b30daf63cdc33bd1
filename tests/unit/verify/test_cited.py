"""Which kernel functions the model's rules mirror, step by step."""

from __future__ import annotations

from pathlib import Path

from ktrace.trace.session import SessionReader
from ktrace.verify.cited import cited
from tests.unit.report.recorded import small_session

RECORDED = Path(__file__).parents[3] / "traces" / "recorded"


def test_every_step_has_the_functions_behind_it() -> None:
    found = dict(cited(SessionReader(RECORDED / "pipe-basic.jsonl.gz")))
    assert list(found) == list(range(1, len(found) + 1))
    names = [citation.rpartition(" ")[2] for citation in found[2]]
    assert {"do_pipe2()", "alloc_pipe_info()"} <= set(names)
    assert len(names) == len(set(names))
    assert any("pipe_write()" in citation for citation in found[6])


def test_it_ends_where_the_model_does(tmp_path: Path) -> None:
    # This session's steps were made up: they have no facts, and no guest ever did them.
    assert list(cited(SessionReader(small_session(tmp_path)))) == []
