"""The modes of the person's terminal, changed for a while and given back."""

from __future__ import annotations

import signal
import sys
import termios
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, NoReturn

_ENDING = (signal.SIGTERM, signal.SIGHUP)


class TerminalModes:
    """Change the modes of standard input, a terminal, while in use.

    They are as before afterwards, also where a signal ends ktrace meanwhile: SIGTERM and SIGHUP become SystemExit.

    :param change: changes the modes of a descriptor, such as ``tty.setraw``
    """

    def __init__(self, change: Callable[[int], object]) -> None:
        self._change = change
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> TerminalModes:
        self.fd = sys.stdin.fileno()
        self._before = termios.tcgetattr(self.fd)
        for number in _ENDING:
            self._handlers[number] = signal.signal(number, _end)
        self._change(self.fd)
        return self

    def put_back(self) -> None:
        """Have them as they were before, for a while."""
        with suppress(termios.error):
            termios.tcsetattr(self.fd, termios.TCSADRAIN, self._before)

    def change(self) -> None:
        """Change them again."""
        with suppress(termios.error):
            self._change(self.fd)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with suppress(termios.error):  # the terminal may be gone
            termios.tcsetattr(self.fd, termios.TCSADRAIN, self._before)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
