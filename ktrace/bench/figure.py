"""Figures of a build, and two builds measured in turn."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ktrace.bench.builds import Build
from ktrace.bench.measure import Row


@dataclass(frozen=True)
class Figure:
    """One figure of one build.

    :param unit: of *value*; a rate ends in ``/s``
    """

    name: str
    unit: str
    value: float


Measure = Callable[[Build], Sequence[Figure]]

_COSTS = ("s", "ms", "us", "MB")
MORE, LESS = "more", "less"


def better(unit: str) -> str | None:
    """Tell whether more or less of *unit* is better; ``None`` where it says how much there was to do."""
    if unit.endswith("/s"):
        return MORE
    return LESS if unit.partition(" per ")[0] in _COSTS else None


@dataclass(frozen=True)
class Compared:
    """A figure of this build beside that of another.

    :param better: :data:`MORE`, :data:`LESS` or ``None``
    :param ours: median; ``None`` where only the other build has it
    :param other: median; ``None`` where only this build has it
    :param ratio: how many times better this build is: the median of the pairs
    :param lowest: of the pairs; *highest* likewise
    :param best: the same of the best that each build did: on a busy machine that varies less
    """

    name: str
    unit: str
    better: str | None
    ours: float | None
    other: float | None
    ratio: float | None = None
    lowest: float | None = None
    highest: float | None = None
    best: float | None = None

    @property
    def note(self) -> str:
        """Say which build alone has it."""
        if self.other is None:
            return "only in this build"
        return "only in the other build" if self.ours is None else ""

    def below(self, least: float | None) -> bool:
        """Tell whether this build is less than *least* times as good."""
        return least is not None and self.ratio is not None and self.ratio < least

    def as_dict(self) -> dict[str, Any]:
        """Return everything, and the note."""
        return {**asdict(self), "note": self.note}


def alternate(measure: Measure, ours: Build, other: Build, pairs: int, warm_up: bool = True) -> list[Compared]:
    """Measure both builds in turn, *pairs* times, first the one and then the other first.

    The machine's speed drifts: what is measured next to each other is slowed alike, and a drift that is as steady
    as a pair is long favours the one that comes first as often as the other.

    :param warm_up: have each measured once before, which does not count
    """
    if warm_up:
        measure(ours), measure(other)
    of_ours: list[Sequence[Figure]] = []
    of_other: list[Sequence[Figure]] = []
    for number in range(pairs):
        for build in (ours, other) if number % 2 == 0 else (other, ours):
            (of_ours if build is ours else of_other).append(measure(build))
    return compare(of_ours, of_other)


def compare(ours: Sequence[Sequence[Figure]], other: Sequence[Sequence[Figure]]) -> list[Compared]:
    """Unite what the pairs gave, one row for each name and unit; a figure that only one build has is on its own."""
    of_ours, of_other = _by_name(ours), _by_name(other)
    return [
        _compared(*key, of_ours.get(key, []), of_other.get(key, [])) for key in dict.fromkeys([*of_ours, *of_other])
    ]


def alone(measure: Measure, build: Build, runs: int) -> list[Row]:
    """Measure one build *runs* times, once more before that: the medians."""
    measure(build)
    figures = _by_name([measure(build) for _ in range(runs)])
    return [Row(name, unit, statistics.median(values)) for (name, unit), values in figures.items()]


def _by_name(measured: Sequence[Sequence[Figure]]) -> dict[tuple[str, str], list[float]]:
    found: dict[tuple[str, str], list[float]] = {}
    for figures in measured:
        for figure in figures:
            found.setdefault((figure.name, figure.unit), []).append(figure.value)
    return found


def _compared(name: str, unit: str, ours: list[float], other: list[float]) -> Compared:
    sense = better(unit)
    one, two = (statistics.median(values) if values else None for values in (ours, other))
    if sense is None or len(ours) != len(other) or not all(ours) or not all(other):
        return Compared(name, unit, sense, one, two)
    pairs = [_times_better(sense, *pair) for pair in zip(ours, other, strict=True)]
    choose = min if sense == LESS else max
    best = _times_better(sense, choose(ours), choose(other))
    return Compared(name, unit, sense, one, two, statistics.median(pairs), min(pairs), max(pairs), best)


def _times_better(sense: str, ours: float, other: float) -> float:
    return other / ours if sense == LESS else ours / other
