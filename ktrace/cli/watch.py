"""``ktrace watch``: a workload or a session as pictures in the terminal, step by step."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Group
from rich.live import Live

from ktrace.cli.keys import Keys
from ktrace.cli.options import TargetName, command_line, guest_options
from ktrace.cli.output import View, console, notify
from ktrace.cli.show import play as show_again
from ktrace.report.watch import PictureSeries
from ktrace.state.step import Step
from ktrace.trace.kept import find_session
from ktrace.trace.session import Choices, End, Header, Verdict
from ktrace.verify.options import GuestOptions, SessionOptions
from ktrace.workload.library import SUFFIX, bundled

_HELP = " space → next   ← back   p play   e to the end   + - faster, slower   q quit "
_SLOWEST, _FASTEST = 8.0, 0.05


class _Quit(KeyboardInterrupt):
    """The person has seen enough."""


@click.command()
@click.argument("what", metavar="WORKLOAD|SESSION", type=TargetName())
@click.option("--delay", type=click.FloatRange(min=0), help="Go on by itself after so many seconds.")
@guest_options("The image to run a workload on.")
def watch(what: str, delay: float | None, guest: GuestOptions) -> int:
    """Watch a workload while it runs, or a recorded session, as pictures, step by step.

    A workload waits for you: the next system call is made in the guest when you ask for it. Without a terminal every
    step is printed, with its pictures, and nothing waits.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return _play(what, guest, View(json=False, verbosity=1))
    with Keys() as keys:
        view = _Watch(keys, delay)
        try:
            with view.live():
                code = _play(what, guest, view)
        except _Quit:
            return 0
    click.echo(view.last_line)
    return code


def _play(what: str, guest: GuestOptions, view: View) -> int:
    """Hand a session's events to *view*, or a workload's as they happen."""
    path = Path(what) if what in bundled() or what.endswith(SUFFIX) else find_session(what)
    if not path.is_dir() and path.suffix not in (".jsonl", ".gz"):
        from ktrace.verify.guests import prepare_guests
        from ktrace.verify.sessions import run_session
        from ktrace.workload.library import load

        script = load(what)
        end = run_session(prepare_guests(guest, notify), script, view, SessionOptions(command=command_line()))
        return end.exit_code
    return show_again(path, view)


class _Watch(View):
    """Show each step and wait until the person wants the next.

    :param delay: seconds to wait at most, ``None`` for ever
    """

    def __init__(self, keys: Keys, delay: float | None) -> None:
        super().__init__(json=False, verbosity=0)
        self._keys = keys
        self._delay = delay
        self._to_end = False
        self._console = console()
        self._series: PictureSeries | None = None
        self._live: Live | None = None
        self.last_line = ""

    @contextmanager
    def live(self) -> Iterator[None]:
        """Take the screen, and give it back."""
        with Live(console=self._console, screen=True, auto_refresh=False, vertical_overflow="crop") as live:
            self._live = live
            yield

    def header(self, header: Header) -> None:
        """Take the start."""
        image = " ".join(str(header.manifest.get(name, "")) for name in ("image", "release", "accelerator"))
        self._series = PictureSeries(f"{header.title}   {image}", header.initial)

    def step(self, step: Step) -> None:
        """Show one step until the next is wanted."""
        assert self._series is not None
        self._series.step(step)
        self._wait()

    def choices(self, choices: Choices) -> None:
        """Show nothing of it: pictures are of what is."""

    def verdict(self, verdict: Verdict) -> None:
        """Show a divergence."""
        assert self._series is not None
        self._series.verdict(verdict)
        self._to_end, self._delay = False, None
        self._wait()

    def end(self, end: End, place: str = "") -> None:
        """Show the end until a key is pressed."""
        self.last_line = f"{end.status}: {end.totals}"
        if place:
            self.last_line += f"\nsession {place}"
        if self._series is not None and self._series.pictures:
            self._to_end, self._delay = False, None
            self._wait(f" {end.status}: the end of the session ")

    def _wait(self, note: str = "") -> None:
        assert self._series is not None
        pictures = self._series.pictures
        place = len(pictures) - 1
        while not self._to_end:
            self._show(place, note + _HELP)
            key = self._keys.read(self._delay)
            if key == "q":
                raise _Quit
            if key == "left":
                place, self._delay = max(0, place - 1), None
            elif key == "pageup":
                place, self._delay = max(0, place - 10), None
            elif key == "home":
                place, self._delay = 0, None
            elif key == "p":
                self._delay = 0.8 if self._delay is None else None
            elif key in ("+", "-"):
                factor = 0.6 if key == "+" else 1 / 0.6
                self._delay = min(_SLOWEST, max(_FASTEST, (self._delay or 0.8) * factor))
            elif key in ("e", "end"):
                self._to_end = True
            elif key in (None, "right", "space", "pagedown", "n"):
                if place == len(pictures) - 1:
                    return
                place += 1

    def _show(self, place: int, footer: str) -> None:
        assert self._series is not None
        assert self._live is not None
        width, height = self._console.size
        rows: list[Any] = list(self._series.draw(place, width, height, footer))
        self._live.update(Group(*rows), refresh=True)
