"""Start programs from a thread that lives as long as this process: what dies with its parent thread dies with that.

Whoever asks for a guest may be a thread that ends long before the guest is done with.
"""

from __future__ import annotations

import os
import queue
import subprocess
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

_Child = subprocess.Popen[bytes]


class _Starter:
    """One thread, made when it is first needed."""

    def __init__(self) -> None:
        self._orders: queue.SimpleQueue[tuple[Future[_Child], Sequence[str], dict[str, Any]]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self, argv: Sequence[str], options: dict[str, Any]) -> _Child:
        """Have the thread start a program, and return it."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="starter", daemon=True)
                self._thread.start()
        started: Future[_Child] = Future()
        self._orders.put((started, argv, options))
        try:
            return started.result()
        except BaseException:
            started.add_done_callback(_end)  # Ctrl-C came: nobody would know of it
            raise

    def _work(self) -> None:
        while True:
            started, argv, options = self._orders.get()
            try:
                started.set_result(subprocess.Popen(argv, **options))
            except BaseException as error:
                started.set_exception(error)


def _end(started: Future[_Child]) -> None:
    if started.exception() is None:
        child = started.result()
        child.kill()
        child.wait()


_starter = _Starter()


def _anew() -> None:
    """Have a thread of one's own after a fork, in which there is none."""
    global _starter
    _starter = _Starter()


os.register_at_fork(after_in_child=_anew)


def start(argv: Sequence[str], **options: Any) -> _Child:
    """Start a program as :class:`subprocess.Popen` does.

    :raises OSError: it cannot be started
    """
    return _starter.start(argv, options)
