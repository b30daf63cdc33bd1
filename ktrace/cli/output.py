"""What every command that prints a session shares: ``--json``, ``-q``, ``-v`` and colours."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ktrace.interrupt import held_back
from ktrace.report.untrusted import one_line

if TYPE_CHECKING:
    from rich.console import Console

    from ktrace.state.step import Step
    from ktrace.trace.session import Choices, End, Header, Sink, Verdict

_Function = TypeVar("_Function", bound=Callable[..., Any])


def console() -> Console:
    """Return a console for standard output."""
    with held_back():
        from ktrace.cli import style

    return style.console(sys.stdout)


def notify(text: str) -> None:
    """Tell the person something that is no result."""
    click.echo(text, err=True)


def pass_on(out: bytes, err: bytes) -> None:
    """Print what a program of the person's said, as it is."""
    for stream, data in ((sys.stdout, out), (sys.stderr, err)):
        stream.buffer.write(data)
        stream.flush()


def exit_code(status: int) -> int:
    """Return an exit code for a wait status, as shells have it."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def worse(one: int, other: int) -> int:
    """Return which of two exit codes says more: a divergence, whatever came of the rest."""
    return 1 if 1 in (one, other) else max(one, other)


class View:
    """Print a session as the options ask for.

    :param json: as data
    :param verbosity: -1 for verdicts only, 0, or 1
    """

    def __init__(self, json: bool, verbosity: int) -> None:
        self._json = json
        self._verbosity = verbosity
        self._to = _view(json, verbosity)
        self._title = ""

    @property
    def is_json(self) -> bool:
        """Tell whether data is printed."""
        return self._json

    @property
    def is_quiet(self) -> bool:
        """Tell whether nobody sees what is done: steps are not printed, or not on this terminal."""
        return not self._json and (self._verbosity < 0 or not sys.stdout.isatty())

    @property
    def is_verbose(self) -> bool:
        """Tell whether all that there is to say is wanted."""
        return self._verbosity > 0

    def only_verdicts(self) -> View:
        """Return a view that prints, of an agreeing session, its one last line."""
        return View(self._json, self._verbosity - 1) if not self._json else self

    def header(self, header: Header) -> None:
        """Print the start."""
        self._title = one_line(str(header.manifest.get("workload") or header.title or "(no title)"))
        self._to.header(header)

    def step(self, step: Step) -> None:
        """Print one step."""
        self._to.step(step)

    def choices(self, choices: Choices) -> None:
        """Print what the kernel chose in the last step."""
        self._to.choices(choices)

    def verdict(self, verdict: Verdict) -> None:
        """Print a divergence."""
        self._to.verdict(verdict)

    def end(self, end: End, place: str = "") -> None:
        """Print the end."""
        if self._verbosity < 0 and not self._json:
            click.echo(f"{self._title}: ", nl=False)
        self._to.end(end, place)


def _view(json: bool, verbosity: int) -> Sink:
    """Return what prints; it is loaded only now, since every command's module is there for its ``--help``, too."""
    with held_back():
        if json:
            from ktrace.report.json_view import JsonView

            return JsonView(quiet=verbosity < 0)
        from ktrace.report.terminal import TerminalView

        return TerminalView(console(), verbosity)


def view_options(function: _Function) -> _Function:
    """Add ``--json``, ``-q`` and ``-v`` to a command; it gets ``view``."""

    @click.option("--json", "as_json", is_flag=True, help="Print data, one JSON object a line.")
    @click.option("-q", "--quiet", is_flag=True, help="Print the verdict only.")
    @click.option("-v", "--verbose", is_flag=True, help="Print more.")
    @functools.wraps(function)
    def wrapper(*args: Any, as_json: bool, quiet: bool, verbose: bool, **kwargs: Any) -> Any:
        return function(*args, view=View(as_json, verbose - quiet), **kwargs)

    return wrapper  # type: ignore[return-value]
