"""Keep a guest for other commands to look at."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ktrace.cli.output import notify
from ktrace.interrupt import interrupts
from ktrace.verify.paused import PausedGuest

LOOK_SECONDS = 0.5
"""between two looks whether the guest still lives"""


def hold(guest: PausedGuest) -> None:
    """Keep the guest until the person has seen enough: Enter, SIGINT (Ctrl-C) or SIGTERM.

    The end of standard input is none of these: who has no terminal holds a guest, too.

    :raises GuestError: it is lost
    """
    at_terminal = sys.stdin is not None and sys.stdin.isatty()
    ends = "Enter or Ctrl-C ends it" if at_terminal else f"kill {os.getpid()} ends it"
    notify(f"holding the guest; look at it with: ktrace inspect all, ktrace shell, ktrace console. {ends}")
    enter = _Enter()
    try:
        with _told_to_end() as ended:
            while not ended() and not enter.came():
                guest.machine.check()
    except KeyboardInterrupt:
        interrupts.forget()  # it was what ends this
        notify("")
    guest.machine.check()


class _Enter:
    """Wait for Enter on standard input, for as long as there may be one."""

    def __init__(self) -> None:
        self._sources = [] if sys.stdin is None or sys.stdin.closed else [sys.stdin.fileno()]

    def came(self) -> bool:
        """Wait a moment, and tell whether Enter was pressed."""
        ready, _, _ = select.select(self._sources, [], [], LOOK_SECONDS)
        if not ready:
            return False
        try:
            data = os.read(ready[0], 1 << 12)
        except OSError:  # a terminal that is gone, or whose foreground we are not
            data = b""
        if not data:
            self._sources = []
        return b"\n" in data


@contextmanager
def _told_to_end() -> Iterator[Callable[[], bool]]:
    """Yield what tells whether SIGTERM has come meanwhile."""
    came: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: came.append(number))
    try:
        yield lambda: bool(came)
    finally:
        signal.signal(signal.SIGTERM, before)
