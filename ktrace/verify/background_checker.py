"""When a step is held against the model: while the guest is already at the next one, or where there is none at once."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Protocol

from ktrace.state.compare import Difference
from ktrace.state.step import Step
from ktrace.verify.checker import Checker

Differences = tuple[Difference, ...]


class Checking(Protocol):
    """Check one step at a time, between :meth:`submit` and the end of :meth:`settle`."""

    def __enter__(self) -> Checking: ...

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def submit(self, step: Step) -> None:
        """Begin to check *step*; the one before must have been settled."""

    def settle(self) -> Differences:
        """Return the differences of the step submitted last; none if there is no such step.

        :raises UsageError: the model does not know its call
        :raises ModelError: the model failed
        """


class InlineChecker:
    """Check in the caller's thread: where nothing is waited for, two threads only take Python from each other."""

    def __init__(self, checker: Checker) -> None:
        self._checker = checker
        self._pending: Step | None = None

    def __enter__(self) -> InlineChecker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pending = None

    def submit(self, step: Step) -> None:
        """Remember *step*; the one before must have been settled."""
        assert self._pending is None
        self._pending = step

    def settle(self) -> Differences:
        """Check the step submitted last and return its differences; none if there is no such step.

        :raises UsageError: the model does not know its call
        :raises ModelError: the model failed
        """
        pending, self._pending = self._pending, None
        return () if pending is None else self._checker.check(pending)


class BackgroundChecker:
    """Check one step at a time, in a thread that runs while the caller waits for the guest.

    What is observed of a step is complete when it is submitted, so the check needs nothing of the guest.
    """

    def __init__(self, checker: Checker) -> None:
        self._checker = checker
        self._worker = ThreadPoolExecutor(1, "check")
        self._pending: Future[Differences] | None = None

    def __enter__(self) -> BackgroundChecker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._worker.shutdown(cancel_futures=True)

    def submit(self, step: Step) -> None:
        """Begin to check *step*; the one before must have been settled."""
        assert self._pending is None
        self._pending = self._worker.submit(self._checker.check, step)

    def settle(self) -> Differences:
        """Wait for the step submitted last and return its differences; none if there is no such step.

        :raises NotModelled: the model does not know its call
        :raises ModelError: the model failed
        """
        pending, self._pending = self._pending, None
        return () if pending is None else pending.result()
