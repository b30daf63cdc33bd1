"""Hold a step against the model while the guest is already at the next one."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from ktrace.state.compare import Difference
from ktrace.state.step import Step
from ktrace.verify.checker import Checker

Differences = tuple[Difference, ...]


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

        :raises UsageError: the model does not know its call
        :raises ModelError: the model failed
        """
        pending, self._pending = self._pending, None
        return () if pending is None else pending.result()
