"""Guests made ready in advance: one is cloned while another is at work."""

from __future__ import annotations

import queue
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from ktrace.machine.machine import Machine
from ktrace.machine.template.template import Template

_WAIT = 60.0


class Pool:
    """Clone *template* ahead of need.

    All guests are made and ended by one thread that lives as long as the pool.

    :param scratch: gets a directory for each guest, removed with it
    :param ahead: guests kept ready besides the one in use
    """

    def __init__(self, template: Template, scratch: Path, ahead: int = 1) -> None:
        self.template = template
        self.scratch = scratch
        self._ready: queue.Queue[Machine | BaseException] = queue.Queue()
        self._asked: queue.Queue[Machine | None] = queue.Queue()
        self._ahead = ahead
        self._thread = threading.Thread(target=self._work, name="clones", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._asked.put(None)
        self._thread.join(_WAIT)

    @contextmanager
    def guest(self) -> Iterator[Machine]:
        """Yield a fresh guest, for one use.

        :raises HostError, GuestError: it could not be cloned
        """
        made = self._ready.get(timeout=_WAIT)
        if isinstance(made, BaseException):
            raise made
        try:
            yield made
        finally:
            self._asked.put(made)

    def _work(self) -> None:
        used: Machine | None = None
        number = 0
        held: list[Machine] = []
        try:
            for _ in range(self._ahead + 1):
                number += 1
                self._make(number, held)
            while (used := self._asked.get()) is not None:
                self._end(used)
                held.remove(used)
                number += 1
                self._make(number, held)
        finally:
            for machine in held:
                self._end(machine)

    def _make(self, number: int, held: list[Machine]) -> None:
        try:
            machine = Machine.clone(self.template, directory=self.scratch / f"guest-{number}")
        except BaseException as error:
            self._ready.put(error)
            return
        held.append(machine)
        self._ready.put(machine)

    def _end(self, machine: Machine) -> None:
        machine.close()
        shutil.rmtree(machine.console.path.parent, ignore_errors=True)
