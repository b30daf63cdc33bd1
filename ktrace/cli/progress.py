"""One line on standard error, on a terminal, while something takes longer than a second; gone when it is through."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType

from ktrace.cli.streams import trusted
from ktrace.report.untrusted import one_line
from ktrace.state.step import Step
from ktrace.trace.session import Choices, End, Header, Sink, Verdict

PATIENCE = 1.0
"""Seconds that may pass in silence."""
EVERY = 0.1
"""Seconds between two lines."""


class StatusLine:
    """A line on standard error that is written over and over; nothing where that is no terminal.

    :param wanted: the person has not asked for quiet or data
    :ivar on: it is seen
    """

    def __init__(self, wanted: bool = True) -> None:
        self._shown = False
        self.on = wanted and sys.stderr is not None and sys.stderr.isatty()

    def show(self, text: str) -> None:
        """Write *text* over the line before."""
        if self.on:
            self._write(f"\r\x1b[K{one_line(text)}")
            self._shown = True

    def clear(self) -> None:
        """Have the line gone, before something else is printed."""
        if self._shown:
            self._write("\r\x1b[K")
            self._shown = False

    def _write(self, text: str) -> None:
        out = trusted(sys.stderr)
        out.write(text)
        out.flush()


class Progress:
    """Tell how many steps of something are done; who is interrupted is told how far it was.

    :param what: what is being done, such as ``checking``
    :param total: how many steps there are; ``None``: nobody knows
    """

    def __init__(self, what: str, total: int | None = None, wanted: bool = True) -> None:
        self.what = what
        self.total = total
        self._done = 0
        self._line = StatusLine(wanted)
        self._next = time.monotonic() + PATIENCE

    def __call__(self, done: int, total: int | None = None) -> None:
        """Take that *done* steps are done, of *total* if that is known by now."""
        self._done = done
        self.total = self.total if total is None else total
        now = time.monotonic()
        if now >= self._next:
            self._line.show(self.text)
            self._next = now + EVERY

    @property
    def text(self) -> str:
        """What there is to say."""
        if not self.total:
            return f"{self.what}: step {self._done}"
        return f"{self.what}: step {self._done} of {self.total}, {100 * self._done // self.total} %"

    def clear(self) -> None:
        """Have the line gone, before something else is printed."""
        self._line.clear()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()
        if isinstance(error, KeyboardInterrupt) and self._done:
            error.add_note(self.text)


class Counted:
    """Hand a session's events on, and tell *progress* of its steps.

    :param length: tells how many there will be, once the kernel is known
    """

    def __init__(self, sink: Sink, progress: Progress, length: Callable[[Header], int] | None = None) -> None:
        self._sink = sink
        self._progress = progress
        self._length = length

    def header(self, header: Header) -> None:
        """Take the start."""
        if self._length is not None:
            self._progress.total = self._length(header)
        self._sink.header(header)

    def step(self, step: Step) -> None:
        """Take a step."""
        self._progress(step.number)
        self._sink.step(step)

    def choices(self, choices: Choices) -> None:
        """Take what the kernel chose in the last step."""
        self._sink.choices(choices)

    def verdict(self, verdict: Verdict) -> None:
        """Take a divergence."""
        self._progress.clear()
        self._sink.verdict(verdict)

    def end(self, end: End, place: str = "") -> None:
        """Take the end."""
        self._progress.clear()
        self._sink.end(end, place)
