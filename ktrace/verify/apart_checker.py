"""Check in a process of its own, which takes Python from nobody."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

from ktrace.errors import REPORT, InternalError
from ktrace.state.rule import Choice
from ktrace.state.step import Step
from ktrace.state.world import World
from ktrace.verify.background_checker import Differences
from ktrace.verify.checker import Checker
from ktrace.verify.worker_process import fork_worker

_NOTHING = World()
GONE = 10.0
"""Seconds that the other process may take to end."""


class ApartChecker:
    """Be a :class:`~ktrace.verify.checker.Checker` that checks one step at a time in another process.

    It is a copy of this one, so that nothing has to be loaded anew. A step goes there with what it changed in the
    World; an error comes back as it was raised.

    :param make: makes the checker, there
    """

    def __init__(self, make: Callable[[], Checker]) -> None:
        self.choices: tuple[Choice, ...] = ()
        self.steps = self.fields = self.objects = self.held = 0
        self._world = _NOTHING
        self._pending = False
        self._process, self._connection = fork_worker(_work, make)

    def __enter__(self) -> ApartChecker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._connection.close()
        self._process.kill()
        self._process.join(GONE)

    def initial(self, observed: World) -> Differences:
        """Compare the World before the first step."""
        self._world = observed
        self._send("initial", observed)
        differences: Differences = self._answer()
        return differences

    def check(self, step: Step) -> Differences:
        """Check *step* at once."""
        self.submit(step)
        return self.settle()

    def submit(self, step: Step) -> None:
        """Begin to check *step*; the one before must have been settled."""
        assert not self._pending
        changed, gone = step.world.changed_since(self._world)
        self._world = step.world
        # What was recorded of it besides is nothing that the model knows of.
        self._send("check", (replace(step, world=_NOTHING, functions=None, events=None, probes=()), changed, gone))
        self._pending = True

    def settle(self) -> Differences:
        """Wait for the step submitted last and return its differences; none if there is no such step.

        :raises NotModelled: the model does not know its call
        :raises ModelError: the model failed
        """
        if not self._pending:
            return ()
        self._pending = False
        differences: Differences = self._answer()
        return differences

    def rules(self, differences: Differences) -> tuple[str, ...]:
        """Return the kernel functions that the rules mirror which decided what differs after the last step."""
        self._send("rules", differences)
        found: tuple[str, ...] = self._answer()
        return found

    def _send(self, what: str, about: Any) -> None:
        try:
            self._connection.send_bytes(pickle.dumps((what, about), pickle.HIGHEST_PROTOCOL))
        except OSError as error:
            raise _lost() from error

    def _answer(self) -> Any:
        try:
            value, error, counts = pickle.loads(self._connection.recv_bytes())
        except (EOFError, OSError) as lost:
            raise _lost() from lost
        if error is not None:
            raise _unpacked(error)
        self.steps, self.fields, self.objects, self.held, self.choices = counts
        return value


def _lost() -> InternalError:
    return InternalError("the process that checks has ended", REPORT)


def _work(connection: Connection, make: Callable[[], Checker]) -> None:
    """Be the other process."""
    checker = make()
    world = _NOTHING

    def check(sent: tuple[Step, Any, Any]) -> Differences:
        nonlocal world
        step, changed, gone = sent
        world = world.apply(changed, gone)
        return checker.check(replace(step, world=world))

    def initial(observed: World) -> Differences:
        nonlocal world
        world = observed
        return checker.initial(observed)

    handlers: dict[str, Callable[[Any], Any]] = {"initial": initial, "check": check, "rules": checker.rules}
    while True:
        try:
            what, about = pickle.loads(connection.recv_bytes())
        except (EOFError, OSError):
            return
        value = error = None
        try:
            value = handlers[what](about)
        except Exception as failure:
            error = _packed(failure)
        counts = (checker.steps, checker.fields, checker.objects, checker.held, checker.choices)
        connection.send_bytes(pickle.dumps((value, error, counts), pickle.HIGHEST_PROTOCOL))


def _packed(error: Exception) -> tuple[type[Exception], tuple[Any, ...], dict[str, Any]]:
    """Return what an error is made of: not every one of ours can be made of what it was told."""
    return type(error), error.args, error.__dict__


def _unpacked(packed: tuple[type[Exception], tuple[Any, ...], dict[str, Any]]) -> Exception:
    kind, arguments, members = packed
    error = kind.__new__(kind, *arguments)
    error.args = arguments
    error.__dict__.update(members)
    return error
