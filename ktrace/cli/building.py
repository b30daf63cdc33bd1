"""Draw the progress of image builds: a bar on a terminal, plain lines on a pipe, nothing when quiet."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ktrace.cli.style import console
from ktrace.report.untrusted import one_line

#: On a pipe a long stage says how far it is this many times.
PLAIN_LINES = 10


class BuildProgress:
    """A :class:`ktrace.image.progress.Progress` that writes to standard error.

    :param quiet: say nothing but notes
    """

    def __init__(self, quiet: bool = False) -> None:
        self._console = console(sys.stderr)
        self._quiet = quiet
        self._bar: Progress | None = None
        if not quiet and self._console.is_terminal:
            self._bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.fields[what]}", style="dim"),
                console=self._console,
                transient=True,
            )
        self._task = None if self._bar is None else self._bar.add_task("", total=None, what="", visible=False)
        self._title, self._total, self._said = "", 0, 0
        self._began = time.monotonic()

    def __enter__(self) -> BuildProgress:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def _line(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def stage(self, title: str, total: int | None = None) -> None:
        """Begin a stage."""
        elapsed = time.monotonic() - self._began
        self._title, self._total, self._said = title, total or 0, 0
        if self._bar is not None and self._task is not None:
            self._console.print(f"[dim]{elapsed:5.0f} s[/]  {title}")
            self._bar.reset(self._task, total=total, description=title, what="", visible=True)
        elif not self._quiet:
            self._line(f"{elapsed:5.0f} s  {title}")

    def advance(self, done: int, what: str) -> None:
        """Tell that a unit is done."""
        if self._bar is not None and self._task is not None:
            total = max(self._total, done) or None
            self._bar.update(self._task, completed=done, total=total, what=one_line(what[-40:]))
        elif not self._quiet and self._total >= PLAIN_LINES:
            tenth = min(done * PLAIN_LINES // self._total, PLAIN_LINES)
            if tenth > self._said:
                self._said = tenth
                self._line(f"{time.monotonic() - self._began:5.0f} s  {self._title}: {done} of {self._total}")

    def note(self, text: str) -> None:
        """Say something worth a line of its own."""
        if self._bar is not None:
            self._console.print(one_line(text), markup=False)
        else:
            self._line(text)
