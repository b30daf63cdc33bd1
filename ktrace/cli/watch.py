"""``ktrace watch``: a workload or a session as pictures in the terminal, step by step."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Group
from rich.live import Live
from rich.text import Text

from ktrace.cli.keys import Keys
from ktrace.cli.options import TargetName, command_line, guest_options
from ktrace.cli.output import View, console, notify
from ktrace.cli.show import play as show_again
from ktrace.report.untrusted import one_line
from ktrace.report.watch import PictureSeries, matches
from ktrace.state.conditions import conditions
from ktrace.state.step import Step
from ktrace.trace.kept import find_session
from ktrace.trace.session import Choices, End, Header, Verdict, expected_steps
from ktrace.verify.options import GuestOptions, SessionOptions
from ktrace.workload.library import SUFFIX, bundled

_FOOTER = " space → next   ← back   / search   g jump   p play   e to the end   ? help   q quit "
_KEYS = (
    ("space → ↓ Enter", "the next step; a workload makes its call now"),
    ("← ↑", "one step back"),
    ("PageUp PageDown", "ten steps back; on"),
    ("Home", "the first step"),
    ("g NUMBER Enter", "jump to a step; what has not happened yet is waited for"),
    ("/ TEXT Enter", "to the next step that has TEXT in its call, answer, comment or in what it changed"),
    ("n N", "to the next; to the one before"),
    ("p", "play; + and - make that faster and slower"),
    ("e End", "to the end"),
    ("Ctrl-Z", "stop; fg draws all anew"),
    ("? h", "these keys"),
    ("q Esc", "quit"),
)
_MOVES = {"left": -1, "pageup": -10, "home": -(10**9)}
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
            return 1 if view.diverged else 0
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
        if isinstance(view, _Watch):
            view.expect(lambda header: script.length(conditions(header.facts)))
        end = run_session(prepare_guests(guest, notify), script, view, SessionOptions(command=command_line()))
        return end.exit_code
    if isinstance(view, _Watch):
        steps = expected_steps(path)
        view.expect(lambda _: steps)
    return show_again(path, view)


class _Watch(View):
    """Show each step and wait until the person wants the next.

    :param delay: seconds to wait at most, ``None`` for ever
    :ivar diverged: a divergence was shown
    """

    def __init__(self, keys: Keys, delay: float | None) -> None:
        super().__init__(json=False, verbosity=0)
        self._keys = keys
        self._delay = delay
        self._to_end = False
        self._until: int | None = None
        self._text = ""
        self._seeking = False
        self._place = 0
        self._footer = ""
        self._total: Callable[[Header], int | None] = lambda _: None
        self._console = console()
        self._series: PictureSeries | None = None
        self._live: Live | None = None
        self.last_line = ""
        self.diverged = False

    def expect(self, total: Callable[[Header], int | None]) -> None:
        """Take what tells how many steps there will be, once the kernel is known."""
        self._total = total

    @contextmanager
    def live(self) -> Iterator[None]:
        """Take the screen, and give it back."""
        with Live(console=self._console, screen=True, auto_refresh=False, vertical_overflow="crop") as live:
            self._live = live
            # Whoever stops this process gets the screen of before, and this one again with fg.
            self._keys.leave, self._keys.resume = live.stop, self._again
            try:
                yield
            finally:
                self._keys.leave = self._keys.resume = lambda: None

    def _again(self) -> None:
        """Take the screen again, and draw what was on it."""
        assert self._live is not None
        if not self._live.is_started:
            self._live.start()
        self._live.console.clear()
        if self._series is not None and self._series.pictures:
            self._show(self._place, self._footer)

    def header(self, header: Header) -> None:
        """Take the start."""
        image = " ".join(str(header.manifest.get(name, "")) for name in ("image", "release", "accelerator"))
        self._series = PictureSeries(f"{header.title}   {image}", header.initial, self._total(header))

    def step(self, step: Step) -> None:
        """Show one step until the next is wanted."""
        assert self._series is not None
        self._series.step(step)
        if self._until is not None and step.number < self._until:
            return
        if self._seeking and not matches(self._series.pictures[-1], self._text):
            return
        self._until, self._seeking = None, False
        self._wait()

    def choices(self, choices: Choices) -> None:
        """Show nothing of it: pictures are of what is."""

    def verdict(self, verdict: Verdict) -> None:
        """Show a divergence."""
        assert self._series is not None
        self._series.verdict(verdict)
        self.diverged = True
        self._to_end, self._delay, self._until, self._seeking = False, None, None, False
        self._wait()

    def end(self, end: End, place: str = "") -> None:
        """Show the end until a key is pressed."""
        self.last_line = f"{end.status}: {end.totals}"
        if place:
            self.last_line += f"\nsession {place}"
        if self._series is not None and self._series.pictures:
            note = f" {end.status}: the end of the session "
            if self._until is not None:
                note += f" (it has no step {self._until}) "
            elif self._seeking:
                note += f" (no step has {one_line(self._text)!r}) "
            self._to_end, self._delay, self._until, self._seeking = False, None, None, False
            self._wait(note)

    def _wait(self, note: str = "") -> None:
        """Show the last step, and whatever else the person wants to see, until the next one is wanted."""
        assert self._series is not None
        pictures = self._series.pictures
        self._place = len(pictures) - 1
        while not self._to_end:
            self._show(self._place, note + _FOOTER)
            key = self._keys.read(self._delay)
            if key in ("q", "escape"):
                raise _Quit
            if key in _MOVES:
                self._delay = None
                self._place = max(0, self._place + _MOVES[key])
            elif key == "p":
                self._delay = 0.8 if self._delay is None else None
            elif key in ("+", "-"):
                factor = 0.6 if key == "+" else 1 / 0.6
                self._delay = min(_SLOWEST, max(_FASTEST, (self._delay or 0.8) * factor))
            elif key in ("e", "end"):
                self._to_end = True
            elif key in ("?", "h"):
                self._help()
            elif key == "g":
                if self._jump():
                    return
            elif key in ("/", "n", "N"):
                if self._search(key):
                    return
            elif key in (None, "right", "space", "enter", "pagedown"):
                if self._place == len(pictures) - 1:
                    self._until = pictures[-1].step.number + 10 if key == "pagedown" else None
                    return
                self._place = min(len(pictures) - 1, self._place + (10 if key == "pagedown" else 1))

    def _jump(self) -> bool:
        """Ask for a step, and go there; tell whether it is still to come."""
        assert self._series is not None
        text = self._ask("step: ", str.isdecimal)
        if not text:
            return False
        self._delay = None
        place = self._series.place_of(int(text))
        if place is None:
            self._until = int(text)
            return True
        self._place = place
        return False

    def _search(self, key: str) -> bool:
        """Ask for a text if there is none, and go to the step that has it; tell whether that may be still to come."""
        assert self._series is not None
        if key == "/" or not self._text:
            self._text = self._ask("search: ", str.isprintable)
        if not self._text:
            return False
        self._delay = None
        found = self._series.find(self._text, self._place, -1 if key == "N" else 1)
        if found is not None:
            self._place = found
        self._seeking = found is None and key != "N"
        return self._seeking

    def _ask(self, what: str, allowed: Callable[[str], bool]) -> str:
        """Return what the person types in the last line up to Enter; nothing if they think better of it."""
        text = ""
        while True:
            self._show(self._place, f" {what}{text}▏")
            key = self._keys.read()
            if key == "enter":
                return text
            if key == "escape":
                return ""
            if key == "backspace":
                text = text[:-1]
            elif key == "space" or (key is not None and len(key) == 1):
                char = " " if key == "space" else key
                text += char if allowed(char) else ""

    def _help(self) -> None:
        """Show what the keys do, until one is pressed."""
        assert self._live is not None
        width = max(len(key) for key, _ in _KEYS)
        rows = [
            Text("keys", "bold"),
            Text(),
            *(Text.assemble((f"  {key:<{width}}", "cyan"), f"   {what}") for key, what in _KEYS),
        ]
        self._live.update(Group(*rows, Text(), Text("any key goes back", "dim")), refresh=True)
        self._keys.read()

    def _show(self, place: int, footer: str) -> None:
        assert self._series is not None
        assert self._live is not None
        self._footer = footer
        width, height = self._console.size
        rows: list[Any] = list(self._series.draw(place, width, height, footer))
        self._live.update(Group(*rows), refresh=True)
