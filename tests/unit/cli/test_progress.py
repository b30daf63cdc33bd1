"""Progress is one line on a terminal, after a second, and gone when something else is printed."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator

import pytest

from ktrace.cli import progress as module
from ktrace.cli.progress import Progress, StatusLine


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Standard error is a terminal; yields its other end."""
    ours, theirs = os.openpty()
    with io.TextIOWrapper(os.fdopen(theirs, "wb", 0), write_through=True) as stream, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        yield ours
    os.close(ours)


def test_nothing_is_said_of_what_is_quick(terminal: int) -> None:
    with Progress("checking", 9) as progress:
        for number in range(9):
            progress(number + 1)
    os.set_blocking(terminal, False)
    with pytest.raises(BlockingIOError):
        os.read(terminal, 100)


def test_a_line_that_is_written_over(terminal: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    monkeypatch.setattr(module, "EVERY", 0.0)
    with Progress("checking", 4) as progress:
        progress(1)
        progress(3)
    with Progress("reading") as progress:
        progress(5)
        progress(6, 8)
    assert os.read(terminal, 1000) == (
        b"\r\x1b[Kchecking: step 1 of 4, 25 %\r\x1b[Kchecking: step 3 of 4, 75 %\r\x1b[K"
        b"\r\x1b[Kreading: step 5\r\x1b[Kreading: step 6 of 8, 75 %\r\x1b[K"
    )


def test_names_do_not_steer_the_terminal(terminal: int) -> None:
    line = StatusLine()
    line.show("a\x1b[31m\nb")
    assert os.read(terminal, 100) == b"\r\x1b[Ka\\x1b[31m\\nb"


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
