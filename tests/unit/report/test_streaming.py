"""Memory does not grow with the session: whatever writes one, reads it as a stream."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from ktrace.report.export import FORMATS, export
from ktrace.report.page import write_page
from ktrace.trace.session_reader import SessionReader
from tests.unit.report.recorded import small_session

FEW, MANY = 300, 1500
GROWTH = 300_000
"""Bytes that may be added for 1,200 steps more, whose Worlds take several times that."""


def report(session: Path) -> None:
    """Write the page to nowhere."""
    with open(os.devnull, "w") as out:
        write_page(SessionReader(session), out)


def show(session: Path) -> None:
    """Decode every event."""
    for _ in SessionReader(session).events():
        pass


def exporting(form: str) -> Callable[[Path], None]:
    """Return what writes a session in a format to nowhere."""

    def write(session: Path) -> None:
        for _ in export(session, form):
            pass

    return write


def peak(work: Callable[[Path], None], session: Path) -> int:
    """Return the bytes allocated at most while *work* runs."""
    tracemalloc.start()
    try:
        work(session)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "work",
    [report, show, *map(exporting, FORMATS)],
    ids=["report", "show", *FORMATS],
)
def test_memory_does_not_grow_with_the_session(work: Callable[[Path], None], tmp_path: Path) -> None:
    few, many = tmp_path / "few", tmp_path / "many"
    few.mkdir()
    many.mkdir()
    small_session(few, FEW)
    small_session(many, MANY)
    work(few)  # what is imported and cached at the first use is not counted
    assert peak(work, many) - peak(work, few) < GROWTH
