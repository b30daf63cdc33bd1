"""Measure two ways side by side in one run, and say what came out."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One line of the table.

    :param unit: of *ours* and *against*
    :param ours: median
    :param against: median of what it is compared with, ``None`` for a figure on its own
    :param ratio: how many times better ours is, the median of the pairs; ``None`` without a pair
    :param goal: what *ratio* (or, without a pair, *ours*) has to reach; ``None`` for none
    """

    name: str
    unit: str
    ours: float
    against: float | None = None
    ratio: float | None = None
    goal: float | None = None
    at_most: bool = False

    @property
    def met(self) -> bool | None:
        """Tell whether the goal was reached; ``None`` without one."""
        if self.goal is None:
            return None
        value = self.ours if self.ratio is None else self.ratio
        return value <= self.goal if self.at_most else value >= self.goal

    def as_dict(self) -> dict[str, Any]:
        """Return name, unit, ours, against, ratio, goal and met."""
        row = asdict(self)
        del row["at_most"]
        return {**row, "met": self.met}


def seconds(action: Callable[[], object]) -> float:
    """Return how long *action* takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def pairs(ours: Callable[[], float], against: Callable[[], float], count: int) -> tuple[float, float, float]:
    """Measure both in turn, *count* times: the medians, and the median of the ratios *against* / *ours*.

    The machine's speed drifts; what is measured next to each other is slowed alike.
    """
    measured = [(ours(), against()) for _ in range(count)]
    return (
        statistics.median(a for a, _ in measured),
        statistics.median(b for _, b in measured),
        statistics.median(b / a for a, b in measured),
    )
