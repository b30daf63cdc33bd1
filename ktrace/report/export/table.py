"""A session as CSV: a row for each field that a step changed, one for a step that changed nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from ktrace.state.compare import ABSENT
from ktrace.state.step import Step
from ktrace.trace.changes import changes
from ktrace.trace.session import Verdict
from ktrace.trace.session_reader import SessionReader
from ktrace.trace.value import short

COLUMNS = ("step", "actor", "call", "answer", "object", "field", "before", "after")


def table(reader: SessionReader) -> Iterator[str]:
    """Yield the rows, the names of the columns first; ``absent`` stands for what is not there.

    A divergence is a row with the observed value under *before* and the allowed one under *after*.
    """
    yield _row(COLUMNS)
    world = reader.header.initial
    for event in reader.events():
        if isinstance(event, Step):
            start = (str(event.number), event.actor or "", event.text, event.answer)
            some = False
            for change in changes(world, event.world):
                some = True
                yield _row((*start, change.label, change.path, _text(change.before), _text(change.after)))
            if not some:
                yield _row((*start, "", "", "", ""))
            world = event.world
        elif isinstance(event, Verdict):
            for item in event.differences:
                cells = (item.path, str(item.observed), str(item.expected))
                yield _row((str(event.number), "", "", "diverged", "", *cells))
            for complaint in event.complaints:
                yield _row((str(event.number), "", complaint, "diverged", "", "", "", ""))


def _text(value: object) -> str:
    return "absent" if value is ABSENT else short(value)


def _row(cells: tuple[str, ...]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue()
