"""An actor that was inside a call when its step ended makes no other one, whether or not it has returned since."""

from __future__ import annotations

import pytest

from ktrace.errors import UsageError
from ktrace.verify.lab import Lab
from ktrace.verify.run import run_script
from ktrace.workload.parser import parse_script
from tests.sinks import Record

SLEEPS = "## sleeps: a moment\nA: nanosleep({0, 1000000})    # blocked\n"


def test_it_is_refused_with_its_place_and_what_to_do(lab: Lab) -> None:
    with pytest.raises(UsageError) as caught:
        run_script(parse_script(SLEEPS + "A: getpid()\n", "mine.kt"), lab, Record(), {})
    assert caught.value.exit_code == 2
    assert caught.value.message.splitlines()[0] == (
        "mine.kt:3:4: A cannot call 'getpid': it is inside a call that has not returned"
    )
    assert "wait(100)" in str(caught.value.hint)


def test_once_time_passed_it_goes_on(lab: Lab) -> None:
    sink = Record()
    end = run_script(parse_script(SLEEPS + "wait(1000)   # A: 0\nA: getpid()    # A\n", "mine.kt"), lab, sink, {})
    assert end.status == "agreed", sink.verdicts
