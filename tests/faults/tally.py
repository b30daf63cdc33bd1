"""Count faults and what came of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

HEAD = """\
# Faults survived

Written by `make faults`: every kind of fault was made on purpose, at seeded random moments and places, on a live guest.
A fault is survived if nothing is left behind (no process, no file in `/dev/shm`), every session opens as far as it got,
and what is said of it is one of the ends in the last column. One that is not survived fails the run, and no table is
written. Seconds are those from the fault, or the question after it, to the answer; of changed memory, those of the
processor.

{measured}

| fault | made | slowest | ends |
|---|---:|---:|---|
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
    """Collect the rows.

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


def write_table(path: Path, tally: Tally, measured: str) -> None:
    """Write what was counted as a page.

    :param measured: one line: when, on what, how long
    """
    lines = []
    for row in tally.rows:
        ends = ", ".join(f"{end} {number}" for end, number in row.ends.most_common())
        lines.append(f"| {row.fault} | {row.ends.total()} | {row.slowest:.2f} s | {ends} |\n")
    path.write_text(HEAD.format(measured=measured) + "".join(lines))
