"""Sessions of the first release, one of each kind, open as they did: types and members have other names by now."""

from __future__ import annotations

from pathlib import Path

import pytest

from ktrace.errors import UsageError
from ktrace.state import aliases
from ktrace.state.codec import decode
from ktrace.state.fs.pipe.pipe import PipeFacts
from ktrace.state.wait import Waiter
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.replay import replay
from tests.sinks import Record

SESSIONS = sorted((Path(__file__).parents[1] / "trace" / "before").glob("*.jsonl.gz"))


@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: path.name.partition(".")[0])
def test_it_is_read_and_agrees_as_it_did(path: Path) -> None:
    kept = Record()
    SessionReader(path).play(kept)
    ((ended, _),) = kept.ends
    assert len(kept.steps) == ended.steps
    end = replay(SessionReader(path), Record())
    # What diverged then was an annotation: a script's fault, not the kernel's.
    assert end.status == "agreed" and bool(kept.verdicts) == (ended.status == "diverged")
    # The World may have members by now that it had not then, never fewer.
    assert end.steps == ended.steps and end.fields >= ended.fields


def test_there_is_one_of_each_kind() -> None:
    steps = [step for path in SESSIONS for step in SessionReader(path).steps()]
    assert any(step.functions for step in steps) and any(step.events for step in steps)
    assert any(step.probes for step in steps)


def test_members_have_the_names_of_today() -> None:
    old = {"$": "socket.Waiter", "func": "autoremove_wake_function", "exclusive": True, "task": None}
    assert decode(old) == Waiter(process=None, exclusive=True, func="autoremove_wake_function")
    assert aliases.TYPES["sysv_sem.Sem"] == "sem.Sem"


def test_members_that_are_told_otherwise_today_are_passed_over() -> None:
    old = {"$": "pipe.PipeFacts", "pipe_max_size": 4096, "size_mask": (1 << 64) - 1, "kept_pages": 8, "prefills": True}
    assert decode(old) == PipeFacts(pipe_max_size=4096, kept_pages=8)
    with pytest.raises(UsageError, match="'prefill'"):
        decode({"$": "pipe.PipeFacts", "prefill": True})
