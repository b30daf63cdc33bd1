"""How much time went by is known as well as the clock is, and not at all once that was set."""

from __future__ import annotations

from pathlib import Path

from ktrace.include.linux.limits import U64_MAX
from ktrace.model.build import build_model
from ktrace.model.elapsed import TICK_NS, elapsed, this_step
from ktrace.model.kernel import Kernel
from ktrace.trace.session_reader import SessionReader

RECORDED = Path(__file__).parents[3] / "traces" / "recorded" / "pipe-basic.jsonl.gz"


def at(low: int, high: int, clock_set: int = 0) -> Kernel:
    """Return a kernel in a step between two looks at the clock."""
    kernel = build_model(SessionReader(RECORDED).header.facts)
    kernel.moment, kernel.clock_set = (low, high), clock_set
    return kernel


def test_between_two_steps() -> None:
    since = this_step(at(1_000_000_000, 1_004_000_000))
    assert elapsed(at(2_000_000_000, 2_008_000_000), since) == (996_000_000 - TICK_NS, 1_008_000_000 + TICK_NS)
    assert elapsed(at(1_000_000_000, 1_004_000_000), since) == (0, 4_000_000 + TICK_NS)


def test_nothing_is_known_once_the_clock_was_set() -> None:
    since = this_step(at(1_000_000_000, 1_004_000_000))
    assert elapsed(at(5_000_000_000, 5_000_000_000, clock_set=1), since) == (0, U64_MAX)
