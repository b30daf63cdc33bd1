"""Setting the clock, and sleeps that it leaves alone."""

from __future__ import annotations

from typing import Any

import pytest

from ktrace.agent.syscalls import make_call
from ktrace.model.observed import Evidence
from ktrace.state.call import BAD
from ktrace.uapi.ipc import IPC_CREAT
from tests.unit.model.bench import Bench, op

LATER = {"tv_sec": 2_000_000_000, "tv_nsec": 0}


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        ((1, LATER), "EINVAL"),
        ((0, BAD), "EFAULT"),
        ((0, {"tv_sec": 1, "tv_nsec": 1_000_000_000}), "EINVAL"),
        ((0, {"tv_sec": -1, "tv_nsec": 0}), "EINVAL"),
        ((0, LATER), 0),
    ],
)
def test_errors(arguments: tuple[Any, ...], answer: object) -> None:
    assert Bench("ABCD").call("A", "clock_settime", *arguments) == answer


def test_only_who_may() -> None:
    bench = Bench("ABCD")
    bench.spawn("E", uid=1000)
    assert bench.call("E", "clock_settime", 0, LATER) == "EPERM"


def test_a_sleep_goes_on_when_the_clock_is_set_and_ends_when_time_has_passed() -> None:
    bench = Bench("ABCD")
    bench.call("A", "semget", 0, 1, IPC_CREAT | 0o600)
    half = {"tv_sec": 0, "tv_nsec": 500_000_000}
    assert bench.call("A", "semtimedop", 0, (op(0, -1),), half, clock=(1000, 1000)) == "blocked"
    bench.call("B", "clock_settime", 0, {"tv_sec": 9000, "tv_nsec": 0}, clock=(1000, 9000))
    assert bench.kernel.tasks["A"].timer.armed == (8999, 9000)
    for milliseconds, answers in ((100, {}), (1000, {"A": "EAGAIN"})):
        bench.outcome = bench.kernel.act(None, make_call("wait", milliseconds), Evidence(clock=(9000, 9000)))
        assert bench.answers == answers
