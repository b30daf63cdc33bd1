"""Count faults and what came of them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results.json"
PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"

HEAD = """\
# Faults survived

Written by `make faults` from the last result of each test: every kind of fault was made on purpose, at seeded random
moments and places, on a live guest. A fault is survived if nothing is left behind (no process, no file in `/dev/shm`),
every session opens as far as it got, and what is said of it is one of the ends in the last column. A test in which one
is not survived fails, and its row is left as it was. "Slowest" is from the fault, or the question after it, to the
answer; of changed memory, in seconds of the processor. "Took" is the whole test, "load" that of the machine when it
ended: where others are at work on its two cores, seconds are not those of a quiet machine.

| fault | made | slowest | ends | took | load | measured |
|---|---:|---:|---|---:|---:|---|
"""


@dataclass
class Row:
    """One kind of fault.

    :ivar ends: how often each outcome came
    :ivar slowest: seconds from the fault, or the question after it, to the answer
    """

    fault: str
    ends: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0

    def count(self, end: str, seconds: float = 0.0) -> None:
        """Count one fault that ended as *end* after *seconds*."""
        self.ends[end] += 1
        self.slowest = max(self.slowest, seconds)


class Tally:
    """Collect the rows of a test.

    :param share: of the faults, which are to be made
    """

    def __init__(self, share: float) -> None:
        self.share = share
        self.rows: list[Row] = []

    def row(self, fault: str) -> Row:
        """Begin a kind of fault."""
        row = Row(fault)
        self.rows.append(row)
        return row

    def times(self, whole: int) -> int:
        """Tell how many faults are to be made where all are *whole*."""
        return max(1, round(whole * self.share))


def keep(tally: Tally, test: str, about: dict[str, Any], *, among: list[str], path: Path = RESULTS) -> None:
    """Keep what *test* counted, in the place of its last result.

    :param about: when, on what and how long it ran
    :param among: the tests that there are, in their order, as far as they are known; of others nothing is kept, if
        there are some
    """
    results: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    results[test] = {**about, "rows": [[row.fault, round(row.slowest, 2), row.ends] for row in tally.rows]}
    order = {name: number for number, name in enumerate(among or results)}
    kept = {name: results[name] for name in sorted(results, key=lambda name: order.get(name, 0)) if name in order}
    path.write_text(json.dumps(kept, indent=1) + "\n")


def write_page(path: Path = PAGE, results: Path = RESULTS) -> None:
    """Write what was counted as a page."""
    path.write_text(page(json.loads(results.read_text())))


def page(results: dict[str, Any]) -> str:
    """Return the page's text."""
    lines = [HEAD]
    made = 0
    for result in results.values():
        for fault, slowest, ends in result["rows"]:
            told = ", ".join(f"{end} {number}" for end, number in Counter(ends).most_common())
            made += sum(ends.values())
            lines.append(
                f"| {fault} | {sum(ends.values())} | {slowest:.2f} s | {told} | {result['seconds']:.0f} s "
                f"| {result['load']:.1f} | {result['day']}, {result['kernel']} |\n"
            )
    seconds = sum(result["seconds"] for result in results.values())
    lines.append(f"\n{made} faults in {len(results)} tests, {seconds / 60:.0f} minutes in all.\n")
    return "".join(lines)
