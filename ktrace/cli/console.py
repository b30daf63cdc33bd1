"""``ktrace console``: a shell in a guest that is held."""

from __future__ import annotations

import os
import select
import signal
import sys
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click

from ktrace.cli.options import TargetName, guest_options
from ktrace.cli.output import exit_code, notify, pass_on
from ktrace.cli.progress import Progress
from ktrace.cli.terminal import TerminalModes
from ktrace.errors import UsageError
from ktrace.machine.shell_client import Line, ShellClient, connect
from ktrace.trace.live import newest_live, read_live
from ktrace.verify.options import GuestOptions

ESCAPE = b"\x1d"
"""Ctrl-]: leaves the console, as it leaves telnet and virsh console."""
_PIECE = 1 << 14
_TYPED_AHEAD = 1 << 16
_SHOWN_LATER = 1 << 20


@click.command()
@click.argument("target", required=False, type=TargetName())
@guest_options("The image to run a workload on.")
@click.option("--timeout", default=60.0, show_default=True, help="Seconds for commands from standard input.")
def console(target: str | None, guest: GuestOptions, timeout: float) -> int:
    """Have a shell in the guest that TARGET names: a held session (default: the newest), or WORKLOAD[:STEP].

    On a terminal it is an interactive shell (busybox of this machine, brought into the guest), which Ctrl-] leaves.
    Without one, the shell reads its commands from standard input to the end, as sh does. Either ends with the shell's
    exit code.

    The guest goes on meanwhile, and stands still again afterwards, with whatever was done in it: it is past its
    checks, and no model knows what a shell does.
    """
    with _held(target, guest) as place, connect(read_live(place).console) as client:
        if not sys.stdin.isatty():
            status = client.run(sys.stdin.buffer.read(), timeout, pass_on)
            return exit_code(status)
        rows, columns = _size()
        line = client.open_terminal(rows, columns, os.environ.get("TERM", "vt100"))
        click.echo(f"console of {place.name}: Ctrl-] leaves it", err=True)
        with TerminalModes(tty.setraw):
            ended = _Session(client, line).run()
        if ended is None:
            client.leave()
    if ended is None:
        click.echo("\nleft the console; the guest stands still again", err=True)
    return 0 if ended is None else exit_code(ended)


@contextmanager
def _held(target: str | None, guest: GuestOptions) -> Iterator[Path]:
    """Yield the directory in which the guest that *target* names is announced."""
    if target is None or Path(target).is_dir():
        yield newest_live() if target is None else Path(target)
        return
    if Path(target).is_file():
        raise UsageError(f"{target!r} is no guest that could run a shell", "name a held session, or WORKLOAD:STEP")
    from ktrace.verify.targets import hold_target

    with Progress("running") as progress, hold_target(target, None, guest, notify, progress) as place:
        progress.clear()
        yield place


def _size() -> tuple[int, int]:
    """Return rows and columns of the terminal."""
    size = os.get_terminal_size(sys.stdin.fileno())
    return size.lines or 24, size.columns or 80


class _Session:
    """Carry bytes between the terminal, which is raw, and the guest's.

    :param line: to the guest
    """

    def __init__(self, client: ShellClient, line: Line) -> None:
        self._client = client
        self._line = line
        self._typed = b""
        self._shown = line.greeting
        self._screen_open = True
        self._left = False

    def run(self) -> int | None:
        """Return the shell's wait status, ``None`` if the person left it."""
        with _window_changes() as changes:
            while not self._left:
                ready = self._wait(changes)
                if changes in ready:
                    os.read(changes, _PIECE)
                    self._client.resize(*_size())
                if sys.stdin in ready:
                    self._type()
                self._show(self._line.screen in ready)
                self._write()
                if self._client.channel in ready:
                    try:
                        status = self._client.poll()
                    except BaseException:
                        self._show_rest()
                        raise
                    if status is not None:
                        self._show_rest()
                        return status
        self._show_rest()
        return None

    def _wait(self, changes: int) -> list[Any]:
        readers: list[Any] = [changes, self._client.channel]
        writers: list[Any] = []
        if len(self._typed) < _TYPED_AHEAD:
            readers.append(sys.stdin)
        if self._screen_open and len(self._shown) < _SHOWN_LATER:
            readers.append(self._line.screen)
        if self._typed:
            writers.append(self._line.keyboard)
        if self._shown:
            writers.append(sys.stdout)
        found, writable, _ = select.select(readers, writers, [])
        self._can_show = sys.stdout in writable
        return found

    def _type(self) -> None:
        data = os.read(sys.stdin.fileno(), _PIECE)
        before, escape, _ = data.partition(ESCAPE)
        self._typed += before
        self._left = bool(escape) or not data  # or the terminal is gone

    def _show(self, readable: bool) -> None:
        if readable:
            with suppress(BlockingIOError):
                data = os.read(self._line.screen, _PIECE)
                self._shown += data
                self._screen_open = bool(data)
        if self._shown and self._can_show:
            done = os.write(sys.stdout.fileno(), self._shown[:_PIECE])
            self._shown = self._shown[done:]

    def _write(self) -> None:
        if self._typed:
            with suppress(BlockingIOError, BrokenPipeError):
                done = os.write(self._line.keyboard, self._typed)
                self._typed = self._typed[done:]

    def _show_rest(self) -> None:
        """Show what the guest printed before it ended."""
        with suppress(BlockingIOError):
            while data := os.read(self._line.screen, _PIECE):
                self._shown += data
        while self._shown:
            self._shown = self._shown[os.write(sys.stdout.fileno(), self._shown) :]


@contextmanager
def _window_changes() -> Iterator[int]:
    """Yield a descriptor that can be read when the terminal's size has changed."""
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    before = signal.signal(signal.SIGWINCH, lambda _number, _frame: None)
    wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(wakeup)
        signal.signal(signal.SIGWINCH, before)
        os.close(reader)
        os.close(writer)
