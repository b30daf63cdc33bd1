"""Ctrl-C, which must not be lost in code that cannot stop in the middle: drgn, imports, finalizers."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_AGAIN_SECONDS = 0.02


class Interrupts:
    """Remember that somebody pressed Ctrl-C, however far the KeyboardInterrupt got.

    :ivar seen: they did
    """

    def __init__(self) -> None:
        self.seen = False

    def take_over(self) -> None:
        """Have SIGINT remembered, and sent again where Python throws the exception away.

        It does that where nobody could take it: in callbacks of weak references, in finalizers, in plugins of drgn.
        A process that was started with SIGINT ignored goes on ignoring it.
        """
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._came)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # scripts/ktrace had it wait for this
        sys.unraisablehook = self._thrown_away

    def forget(self) -> None:
        """Take what came for what was wanted: it ended what it was to end, and is no interruption."""
        self.seen = False

    @contextmanager
    def left_alone(self) -> Iterator[None]:
        """Have Python deal with SIGINT as it always does: somebody else's prompt knows what to make of it."""
        before = signal.getsignal(signal.SIGINT)
        if before == self._came:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def raise_if_seen(self) -> None:
        """Raise what may have been lost.

        :raises KeyboardInterrupt: SIGINT has come since it was forgotten last
        """
        if self.seen:
            raise KeyboardInterrupt

    def _came(self, number: int, frame: FrameType | None) -> None:
        self.seen = True
        signal.default_int_handler(number, frame)

    def _thrown_away(self, unraisable: Any) -> None:
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            again = threading.Timer(_AGAIN_SECONDS, os.kill, (os.getpid(), signal.SIGINT))
            again.daemon = True
            again.start()
        else:
            sys.__unraisablehook__(unraisable)


interrupts = Interrupts()
"""Of this process, which has but one SIGINT."""


@contextmanager
def held_back() -> Iterator[None]:
    """Keep SIGINT from coming meanwhile; afterwards it comes as if it had been sent then.

    Python's signals are handled in the main thread; elsewhere there is nothing to keep.

    :raises KeyboardInterrupt: it was sent meanwhile
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            before(signal.SIGINT, None)
