"""Single keys from a terminal, without Enter."""

from __future__ import annotations

import os
import select
import signal
import tty
from collections.abc import Callable
from types import FrameType, TracebackType

from ktrace.cli.terminal import TerminalModes

_NAMES = {
    b"\x1b[C": "right", b"\x1b[D": "left", b"\x1b[A": "left", b"\x1b[B": "right", b"\x1bOC": "right",
    b"\x1bOD": "left", b"\x1b[H": "home", b"\x1b[F": "end", b"\x1b[5~": "pageup", b"\x1b[6~": "pagedown",
    b" ": "space", b"\r": "enter", b"\n": "enter", b"\x1b": "escape",
    b"\x7f": "backspace", b"\b": "backspace", b"\x03": "q", b"\x04": "q",
}  # fmt: skip


def _nothing() -> None:
    return


class Keys:
    """Read keys from standard input while in use; the terminal is as before afterwards, also while ktrace is stopped.

    :ivar leave: called when Ctrl-Z is about to stop this process; *resume*: called when it goes on (``fg``)
    """

    def __init__(self, leave: Callable[[], object] = _nothing, resume: Callable[[], object] = _nothing) -> None:
        self.leave, self.resume = leave, resume

    def __enter__(self) -> Keys:
        self._typed = b""
        self._modes = TerminalModes(tty.setcbreak)
        self._fd = self._modes.__enter__().fd
        self._handlers = {number: signal.signal(number, self._stop) for number in (signal.SIGTSTP, signal.SIGCONT)}
        return self

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        """Stop, with the terminal as it was before, or go on."""
        if number == signal.SIGTSTP:
            self.leave()
            self._modes.put_back()
            signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTSTP)  # here this process stands still
            signal.signal(signal.SIGTSTP, self._stop)
        self._modes.change()
        self.resume()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._modes.__exit__(kind, value, traceback)

    def read(self, seconds: float | None = None) -> str | None:
        """Wait for a key and return its name, or the character itself.

        :param seconds: how long to wait, ``None`` for as long as it takes; ``None`` is returned then
        """
        while not self._typed:
            ready, _, _ = select.select([self._fd], [], [], seconds)
            if not ready:
                return None
            self._typed = os.read(self._fd, 64)
            if not self._typed:
                return "q"  # the terminal is gone
        # Whoever types fast has typed more than one.
        length = next((size for size in (4, 3) if self._typed[:size] in _NAMES), 1)
        data, self._typed = self._typed[:length], self._typed[length:]
        return _NAMES.get(data, data.decode("ascii", "replace"))
