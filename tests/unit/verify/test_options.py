"""What a person may ask for at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ktrace.errors import UsageError
from ktrace.verify.options import GuestOptions, RunOptions, SessionOptions
from ktrace.verify.probing.breakpoints import ProbeTarget

PROBED = GuestOptions(probes=(ProbeTarget("pipe_write"),))


@pytest.mark.parametrize(
    ("workloads", "asked", "complaint"),
    [
        ((), {}, "which workload"),
        (("a", "b"), {"session": SessionOptions(directory=Path("there"))}, "--session takes one workload"),
        (("a", "b"), {"session": SessionOptions(checkpoint=1)}, "--checkpoint takes one workload"),
        (("a", "b"), {"page": Path("report.html")}, "--report takes one workload"),
        (("a",), {"session": SessionOptions(checkpoint=1), "guest": PROBED}, "do not go together"),
    ],
)
def test_what_does_not_go_together_is_refused(
    workloads: tuple[str, ...], asked: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        RunOptions(workloads, **asked)


def test_one_workload_may_have_all_of_it() -> None:
    session = SessionOptions(Path("there"), checkpoint=1)
    assert RunOptions(("a",), session=session, page=Path("report.html")).session.checkpoint == 1
    assert RunOptions(("a", "b"), PROBED, SessionOptions(validate=True)).guest.probes == PROBED.probes


def test_a_script_adds_what_it_asks_for_unless_it_is_declined() -> None:
    asked = RunOptions(("a",), PROBED).with_recording(functions=True, probes=(ProbeTarget("pipe_read"),))
    assert asked.guest.functions
    assert [target.function for target in asked.guest.probes] == ["pipe_write", "pipe_read"]
    plain = RunOptions(("a",), PROBED, plain=True)
    assert plain.with_recording(functions=True, probes=(ProbeTarget("pipe_read"),)) == plain
    kept = RunOptions(("a",), session=SessionOptions(checkpoint=1))
    with pytest.raises(UsageError, match="do not go together"):
        kept.with_recording(functions=False, probes=PROBED.probes)
