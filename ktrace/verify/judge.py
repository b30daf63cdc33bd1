"""Judge a session: every step against the model, its annotation and its paths; the guest may be live or long gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from ktrace.errors import KtraceError
from ktrace.model.build import build_model
from ktrace.state.step import Step
from ktrace.trace.session import Choices, End, Header, Sink, Verdict
from ktrace.verify.background_checker import BackgroundChecker, Checking, InlineChecker
from ktrace.verify.checker import Checker, StepHistory

Complaints = tuple[str, ...]
Observed = tuple[Step, Complaints]
"""A step, and what is wrong with it that needs no model to be seen."""


class Paths(Protocol):
    """Hold the functions of steps against the paths that their calls must go."""

    def check(self, step: Step) -> Complaints:
        """Return what *step* did otherwise."""

    def unmet(self) -> Complaints:
        """Return the expectations that no step has put to the test."""


def judge(
    header: Header,
    steps: Iterator[Observed],
    sink: Sink,
    *,
    history: StepHistory | None = None,
    paths: Paths | None = None,
    cut_off: Callable[[], str] = lambda: "",
    ahead: bool = False,
) -> End:
    """Take *steps* until their end or the first divergence, and tell *sink*.

    :param history: gives the steps that *sink* has taken again, where it keeps them
    :param cut_off: asked at the end of *steps*: says how it can be that there were more; empty where there were not
    :param ahead: take a step while the one before is checked: worth a thread where *steps* waits for a guest
    :raises NotModelled: the model does not know a call
    :raises UsageError: *steps* says so
    :raises ModelError: the model itself fails
    """
    sink.header(header)
    checker = Checker(lambda: build_model(header.facts), history)
    if differences := checker.initial(header.initial):
        sink.verdict(Verdict(0, differences))
        return _end(sink, checker, "diverged", "the World before the first step differs")
    if (verdict := _first_verdict(steps, sink, checker, paths, ahead)) is not None:
        sink.verdict(verdict)
        return _end(sink, checker, "diverged", "")
    if reason := cut_off():
        return _end(sink, checker, "cut off", reason)
    if not checker.steps:
        return _end(sink, checker, "empty", "there is no step in it")
    if paths is not None and (unmet := paths.unmet()):
        sink.verdict(Verdict(checker.steps, (), (), unmet))
        return _end(sink, checker, "diverged", "some expected paths were never put to the test")
    return _end(sink, checker, "agreed", "")


def _first_verdict(
    steps: Iterator[Observed], sink: Sink, checker: Checker, paths: Paths | None, ahead: bool
) -> Verdict | None:
    """Take every step and return the first verdict; a step is settled when the next one has been made or read."""
    last: Observed | None = None
    checking: Checking = BackgroundChecker(checker) if ahead else InlineChecker(checker)
    with checking:

        def verdict() -> Verdict | None:
            differences = checking.settle()
            if last is not None and checker.choices:
                sink.choices(Choices(last[0].number, checker.choices))
            if last is None or not (differences or last[1]):
                return None
            return Verdict(last[0].number, differences, checker.rules(differences) if differences else (), last[1])

        while True:
            try:
                current = next(steps, None)
            except KtraceError:
                # What went wrong may be but a consequence of the step before.
                if (found := verdict()) is not None:
                    return found
                raise
            if (found := verdict()) is not None or current is None:
                return found
            step, complaints = current
            sink.step(step)
            if paths is not None:
                complaints += paths.check(step)
            last = (step, complaints)
            checking.submit(step)


def _end(sink: Sink, checker: Checker, status: str, message: str) -> End:
    end = End(status, checker.steps, checker.objects, checker.fields, message, checker.held)
    sink.end(end)
    return end
