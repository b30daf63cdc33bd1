"""What TCP_INFO and SO_MEMINFO tell of every fate of a connection is what the kernel's source allows."""

from __future__ import annotations

from pathlib import Path

from ktrace.trace.session import Verdict
from ktrace.trace.session_reader import SessionReader
from ktrace.trace.session_writer import SessionWriter
from ktrace.verify.lab import Lab
from ktrace.verify.run import run_script
from ktrace.workload.library import load

FATES = Path(__file__).with_name("tcp-info-fates.kt")


def test_full_buffers_small_segments_and_every_end(lab: Lab, tmp_path: Path) -> None:
    with SessionWriter(tmp_path) as writer:
        end = run_script(load(str(FATES)), lab, writer, {})
    assert [event for event in SessionReader(tmp_path).events() if isinstance(event, Verdict)] == []
    assert end.status == "agreed" and end.steps == len(FATES.read_text().splitlines()) - 1 + 1
