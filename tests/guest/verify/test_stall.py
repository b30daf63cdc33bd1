"""A host that stands still between the report of a step and the look at it makes no divergence."""

from __future__ import annotations

import time

from ktrace.verify.lab import Lab
from ktrace.verify.run import run_script
from ktrace.workload.parser import parse_script
from tests.sinks import Record

SCRIPT = """\
## stall: a timer of some seconds ends while nobody looks
A: pipe([r, w])                       # 0
A: poll([{r, POLLIN}], 3500)          # blocked
wait(5000)
A: getpid()
"""
ASLEEP, LONGER = 3, 4.5
"""The step that sleeps, and seconds in which the host is busy with others."""


def stand_still(number: int, lab: Lab) -> None:
    if number == ASLEEP:
        time.sleep(LONGER)


def test_what_a_timer_did_before_the_look_was_possible(lab: Lab) -> None:
    record = Record()
    end = run_script(parse_script(SCRIPT, "stall.kt"), lab, record, {}, after_call=stand_still)
    assert record.verdicts == []
    assert end.status == "agreed"
