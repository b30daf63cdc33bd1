"""Progress is one line on a terminal, after a second, and gone when something else is printed."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ktrace.cli import progress as module
from ktrace.cli.progress import Progress, StatusLine


@contextmanager
def terminal() -> Iterator[int]:
    """Make standard error a terminal; yields its other end, which never blocks."""
    ours, theirs = os.openpty()
    os.set_blocking(ours, False)
    before = sys.stderr
    with io.TextIOWrapper(os.fdopen(theirs, "wb", 0), write_through=True) as sys.stderr:  # type: ignore[assignment]
        try:
            yield ours
        finally:
            sys.stderr = before
    os.close(ours)


def test_nothing_is_said_of_what_is_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 600.0)  # the machine may be busy
    with terminal() as seen:
        with Progress("checking", 9) as progress:
            for number in range(9):
                progress(number + 1)
        with pytest.raises(BlockingIOError):
            os.read(seen, 100)


def test_a_line_that_is_written_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    monkeypatch.setattr(module, "EVERY", 0.0)
    with terminal() as seen:
        with Progress("checking", 4) as progress:
            progress(1)
            progress(3)
        with Progress("reading") as progress:
            progress(5)
            progress(6, 8)
        assert os.read(seen, 1000) == (
            b"\r\x1b[Kchecking: step 1 of 4, 25 %\r\x1b[Kchecking: step 3 of 4, 75 %\r\x1b[K"
            b"\r\x1b[Kreading: step 5\r\x1b[Kreading: step 6 of 8, 75 %\r\x1b[K"
        )


def test_names_do_not_steer_the_terminal() -> None:
    with terminal() as seen:
        StatusLine().show("a\x1b[31m\nb")
        assert os.read(seen, 100) == b"\r\x1b[Ka\\x1b[31m\\nb"


def test_nothing_is_said_where_nobody_looks(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    with Progress("checking", 4) as progress:
        progress(1)
    assert capfd.readouterr() == ("", "")


def test_who_is_interrupted_hears_how_far_it_was() -> None:
    with pytest.raises(KeyboardInterrupt) as caught, Progress("checking", 4) as progress:
        progress(2)
        raise KeyboardInterrupt
    assert caught.value.__notes__ == ["checking: step 2 of 4, 50 %"]
