"""How much time went by between two steps, by a clock that nobody sets (``kernel/time/timekeeping.c``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ktrace.include.linux.limits import U64_MAX

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel

TICK_NS = 10_000_000
"""CLOCK_REALTIME_COARSE is a tick behind the time of day, at most: of the longest one (CONFIG_HZ of 100)."""


@dataclass(frozen=True, slots=True)
class Instant:
    """When something happened within a step.

    :param low: ns of CLOCK_REALTIME_COARSE before that step, *high* after it
    :param clock_set: how often the time of day had been set by then
    """

    low: int
    high: int
    clock_set: int


def this_step(kernel: Kernel) -> Instant:
    """Return when what happens in the step that runs happens."""
    return Instant(*kernel.moment, kernel.clock_set)


def elapsed(kernel: Kernel, since: Instant) -> tuple[int, int]:
    """Return how many ns went by from *since* until the step that runs, at least and at most.

    Nothing is known of it where the time of day was set meanwhile.
    """
    if since.clock_set != kernel.clock_set:
        return 0, U64_MAX
    low, high = kernel.moment
    return max(0, low - since.high - TICK_NS), max(0, high - since.low + TICK_NS)
