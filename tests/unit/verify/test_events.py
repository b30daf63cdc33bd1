"""How events are asked for."""

from __future__ import annotations

import pytest

from ktrace.errors import UsageError
from ktrace.verify.tracing.events import EventTarget, parse_event


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("sched:sched_wakeup", EventTarget("sched:sched_wakeup")),
        ("sched:sched_wakeup comm;prio", EventTarget("sched:sched_wakeup", ("comm", "prio"))),
        ("pipe_write iocb->ki_flags; *from", EventTarget("pipe_write", ("iocb->ki_flags", "*from"))),
        (" pipe_read%return $retval ", EventTarget("pipe_read%return", ("$retval",))),
    ],
)
def test_what_is_asked_for(text: str, target: EventTarget) -> None:
    assert parse_event(text) == target
    assert parse_event(target.text) == target


@pytest.mark.parametrize("text", ["", "->x", "a:b:c", "pipe_read%entry", "sched: x"])
def test_what_names_nothing(text: str) -> None:
    with pytest.raises(UsageError, match="names no event"):
        parse_event(text)
