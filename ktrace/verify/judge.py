"""Judge a session: every step against the model, its annotation and its paths; the guest may be live or long gone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Protocol

from ktrace.errors import KtraceError
from ktrace.model.build import build_model
from ktrace.state.step import Step
from ktrace.trace.session import Choices, End, Header, Sink, Verdict
from ktrace.verify.apart_checker import ApartChecker
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


class Judging:
    """Judge the steps of a session one at a time, as they come; :func:`judge` takes them from an iterator.

    :param history: gives the steps that *sink* has taken again, where it keeps them
    :param paths: hold the functions of steps against these
    :param ahead: check a step while the caller makes the next: worth a thread where that waits for a guest
    :param apart: check it in another process: worth one where steps are many, and Python has much to do for each
    :param just_read: the header's facts were read of a guest, not out of a file
    :ivar verdict: the first divergence, ``None`` as long as all agrees
    """

    def __init__(
        self,
        header: Header,
        sink: Sink,
        *,
        history: StepHistory | None = None,
        paths: Paths | None = None,
        ahead: bool = False,
        apart: bool = False,
        just_read: bool = False,
    ) -> None:
        self._header = header
        self._sink = sink
        self._paths = paths

        def make() -> Checker:
            return Checker(lambda: build_model(header.facts, just_read=just_read), history)

        self._checker: Checker | ApartChecker
        self._checking: Checking
        if apart:
            self._checker = self._checking = ApartChecker(make)
        else:
            self._checker = checker = make()
            self._checking = BackgroundChecker(checker) if ahead else InlineChecker(checker)
        self._last: Observed | None = None
        self.verdict: Verdict | None = None

    def __enter__(self) -> Judging:
        self._checking.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._checking.__exit__(kind, value, traceback)

    def begin(self) -> Verdict | None:
        """Tell the sink of the session's start, and compare the World before the first step."""
        self._sink.header(self._header)
        differences = self._checker.initial(self._header.initial)
        return self._diverged(Verdict(0, differences)) if differences else None

    def begin_again(self, steps: Iterable[Step]) -> None:
        """Take *steps* that were told and judged already: their guest was restored."""
        self._checker.initial(self._header.initial)
        for step in steps:
            self._checker.check(step)

    def submit(self, step: Step, complaints: Complaints = ()) -> None:
        """Tell the sink of *step*, and begin to check it; the one before must have been settled.

        :param complaints: what is wrong with it that needs no model to be seen
        """
        self._sink.step(step)
        if self._paths is not None:
            complaints += self._paths.check(step)
        self._last = (step, complaints)
        self._checking.submit(step)

    def settle(self) -> Verdict | None:
        """Return the verdict on the step submitted last; ``None`` where it agreed, or where there is none.

        :raises NotModelled: the model does not know its call
        :raises ModelError: the model itself fails
        """
        differences = self._checking.settle()
        if self._last is None:
            return None
        (step, complaints), self._last = self._last, None
        if self._checker.choices:
            self._sink.choices(Choices(step.number, self._checker.choices))
        if not (differences or complaints):
            return None
        rules = self._checker.rules(differences) if differences else ()
        return self._diverged(Verdict(step.number, differences, rules, complaints))

    def end(self, cut_off: str = "") -> End:
        """Say what came of the session, and tell the sink.

        :param cut_off: says how it can be that there were more steps; empty where there were not
        """
        if self.verdict is not None:
            message = "" if self.verdict.number else "the World before the first step differs"
            return self._end("diverged", message)
        if cut_off:
            return self._end("cut off", cut_off)
        if not self._checker.steps:
            return self._end("empty", "there is no step in it")
        if self._paths is not None and (unmet := self._paths.unmet()):
            self._diverged(Verdict(self._checker.steps, (), (), unmet))
            return self._end("diverged", "some expected paths were never put to the test")
        return self._end("agreed", "")

    def _diverged(self, verdict: Verdict) -> Verdict:
        self.verdict = verdict
        self._sink.verdict(verdict)
        return verdict

    def _end(self, status: str, message: str) -> End:
        checker = self._checker
        end = End(status, checker.steps, checker.objects, checker.fields, message, checker.held)
        self._sink.end(end)
        return end


def judge(
    header: Header,
    steps: Iterator[Observed],
    sink: Sink,
    *,
    history: StepHistory | None = None,
    paths: Paths | None = None,
    cut_off: Callable[[], str] = lambda: "",
    ahead: bool = False,
    apart: bool = False,
) -> End:
    """Take *steps* until their end or the first divergence, and tell *sink*.

    :param history: gives the steps that *sink* has taken again, where it keeps them
    :param cut_off: asked at the end of *steps*: says how it can be that there were more; empty where there were not
    :param ahead: take a step while the one before is checked, in a thread; *apart*: in a process (see :class:`Judging`)
    :raises NotModelled: the model does not know a call
    :raises UsageError: *steps* says so
    :raises ModelError: the model itself fails
    """
    with Judging(header, sink, history=history, paths=paths, ahead=ahead, apart=apart) as judging:
        if judging.begin() is None:
            _take(steps, judging)
    return judging.end("" if judging.verdict is not None else cut_off())


def _take(steps: Iterator[Observed], judging: Judging) -> None:
    """Have every step judged, up to the first divergence; one is settled when the next has been made or read."""
    while True:
        try:
            current = next(steps, None)
        except KtraceError:
            # What went wrong may be but a consequence of the step before.
            if judging.settle() is not None:
                return
            raise
        if judging.settle() is not None or current is None:
            return
        judging.submit(*current)
