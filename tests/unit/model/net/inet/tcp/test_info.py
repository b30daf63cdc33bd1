"""Members of TCP_INFO and of SO_MEMINFO are held to what the handshake, the queues and each other say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ktrace.fuzz.perturbing.apart import apart
from ktrace.model.build import build_model
from ktrace.model.net.inet.tcp.info_rate import delivery_rates, pacing_rates, rtt_vars
from ktrace.state.call import Completed
from ktrace.state.step import Step
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.checker import Checker

RECORDED = Path(__file__).parents[6] / "traces" / "recorded" / "tcp-info.jsonl.gz"
CLIENT, SERVER, REFUSED, FULL = 20, 21, 5, 39
"""Steps that ask a connection for TCP_INFO at both ends, a sock that was refused, and one with a full peer."""
OPEN = {
    CLIENT: {"tcpi_flags", "tcpi_segs_in", "tcpi_rttvar"},
    SERVER: {"tcpi_segs_out"},
    REFUSED: set(),
    FULL: {"tcpi_flags", "tcpi_rttvar", "tcpi_segs_in", "tcpi_min_rtt", "tcpi_probes", "tcpi_backoff"},
}
"""What a change by one may hide in: round trips, probes, and what was acknowledged together."""
SAMPLE = {
    "tcpi_rtt": 6285, "tcpi_rttvar": 2915, "tcpi_min_rtt": 5942, "tcpi_delivered": 2, "tcpi_unacked": 0,
    "tcpi_snd_mss": 32741, "tcpi_snd_cwnd": 10, "tcpi_snd_ssthresh": 0x7FFFFFFF, "tcpi_delivery_rate": 3767230,
}  # fmt: skip
"""Two round trips of 5942 and 8691 µs, in the second of which one segment was delivered."""


def told(**members: int) -> dict[str, int]:
    return {name.removeprefix("tcpi_"): value for name, value in SAMPLE.items()} | members


def up_to(number: int) -> tuple[Checker, Step]:
    """Return a checker that saw all before a step, and that step."""
    reader = SessionReader(RECORDED)
    facts = reader.header.facts
    checker = Checker(lambda: build_model(facts))
    assert not checker.initial(reader.header.initial)
    for step in reader.steps():
        if step.number == number:
            return checker, step
        assert not checker.check(step)
    raise AssertionError(f"no step {number}")


def with_optval(step: Step, optval: Any) -> Step:
    event = step.outcome.events[0]
    assert isinstance(event, Completed)
    changed = replace(event, result=replace(event.result, out={**event.result.out, "optval": optval}))
    return replace(step, outcome=replace(step.outcome, events=(changed,)))


def optval(step: Step) -> Any:
    event = step.outcome.events[0]
    assert isinstance(event, Completed)
    return event.result.out["optval"]


def unnoticed(number: int, changes: Iterator[tuple[str, Any]]) -> set[str]:
    """Return which *changes* of what a step told nobody notices at once."""
    checker, step = up_to(number)
    return {name for name, value in changes if not apart(partial(_found, checker, with_optval(step, value)))}


def _found(checker: Checker, step: Step) -> int:
    return len(checker.check(step))


@pytest.mark.parametrize("number", sorted(OPEN))
@pytest.mark.parametrize("by", [1, -1, 4096])
def test_every_member_is_held(number: int, by: int) -> None:
    _, step = up_to(number)
    info = optval(step)
    changes = ((name, {**info, name: value + by}) for name, value in info.items())
    assert unnoticed(number, changes) <= OPEN[number] | ({"tcpi_snd_wnd"} if by == 4096 else set())


def test_what_is_set_aside_comes_in_pages() -> None:
    """Any bit of the bytes that are counted, but those that stand for whole pages."""
    _, step = up_to(22)
    data = optval(step)
    flips = ((str(bit), _flip(data, bit)) for bit in range(8 * len(data)))
    assert len(unnoticed(22, flips)) <= 4


def _flip(data: bytes, bit: int) -> bytes:
    at = bit // 8
    return data[:at] + bytes([data[at] ^ 1 << bit % 8]) + data[at + 1 :]


def test_two_round_trips_have_one_variance() -> None:
    allowed = rtt_vars(told())
    assert allowed is not None and 2915 in allowed and len(allowed) < 8
    assert 2915 not in (rtt_vars(told(min_rtt=5000)) or ())
    assert rtt_vars(told(delivered=1, rtt=100, min_rtt=100)) == (50,)
    assert rtt_vars(told(delivered=3)) is None


def test_the_rate_of_pacing_follows_the_round_trip() -> None:
    allowed = pacing_rates(told(), active=True)
    assert allowed is not None and 104177388 in allowed and len(allowed) == 8
    assert 104177388 not in (pacing_rates(told(rtt=6286), active=True) or ())
    assert pacing_rates(told(delivered=1), active=True) is None  # by the first guess at the largest segment


def test_the_rate_of_delivery_is_so_many_segments_in_so_many_microseconds() -> None:
    assert delivery_rates(told(), active=True) == (3767230,)
    assert delivery_rates(told(delivery_rate=3767231), active=True) == (0,)
    assert delivery_rates(told(delivery_rate=1), active=True) == (0,)
    assert delivery_rates(told(delivered=1), active=False) == (0,)
