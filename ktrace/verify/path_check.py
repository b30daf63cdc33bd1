"""Hold the steps of a session against the paths that their calls are expected to go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ktrace.inspect.trace.inlined import Inlined
from ktrace.state.call import Completed, Exited
from ktrace.state.step import Step
from ktrace.state.trace.functions import SOFTIRQ_THREAD, FunctionTrace
from ktrace.verify.path_match import Matcher, Place
from ktrace.verify.paths import Expectation


class PathChecker:
    """Hold the steps of a session against the expectations of a paths file.

    :param source: the file's name, for messages
    :param place: see :class:`Matcher`
    :param exists: tells whether this kernel has a function of that name, inlined or not
    :ivar checked: how many expectations were held against a step
    """

    def __init__(
        self, expectations: tuple[Expectation, ...], source: str, place: Place, exists: Callable[[str], bool]
    ) -> None:
        self._expectations = expectations
        self._source = source
        self._place = place
        self._asleep: dict[str, str] = {}
        self._unmet = dict.fromkeys(expectations)
        self.checked = 0
        self._unknown = [
            f"{source}:{expectation.line}: this kernel has no function {'|'.join(item.names)!r}"
            for expectation in expectations
            for part in expectation.path
            for item in part.leaves()
            if not any("*" in name or exists(name) for name in item.names)
        ]

    def check(self, step: Step) -> tuple[str, ...]:
        """Return what *step* did otherwise, one complaint a line of the file."""
        complaints, self._unknown = self._unknown, []
        if step.functions is not None:
            for expectation in self._expectations:
                for actor, call in self._calls(expectation, step):
                    self.checked += 1
                    self._unmet.pop(expectation, None)
                    complaints += self._hold(expectation, actor, call, step.functions)
        self._remember(step)
        return tuple(complaints)

    def unmet(self) -> tuple[str, ...]:
        """Return the expectations that no step has met the conditions of."""
        return tuple(f"{self._source}:{item.line}: no step to hold it against: {item}" for item in self._unmet)

    def _calls(self, expectation: Expectation, step: Step) -> Iterator[tuple[str, str]]:
        """Yield whose functions *expectation* speaks of in this step, and of which call."""
        if expectation.script_line and expectation.script_line != step.line:
            return
        if expectation.answer == "woken":
            for event in step.outcome.events:
                actor = event.actor
                if self._asleep.get(actor) == expectation.call and expectation.actor in ("", actor):
                    yield actor, expectation.call
            return
        actor = step.actor or (step.call.args[0] if step.call.name == "kill" else "")
        if step.call.name == expectation.call and expectation.actor in ("", actor) and _ended(step, expectation.answer):
            yield actor, step.call.name

    def _hold(self, expectation: Expectation, actor: str, call: str, functions: FunctionTrace) -> Iterator[str]:
        # That something is inlined where a call went through does not prove that it ran.
        place = _nothing if expectation.never else self._place
        matchers = [Matcher(functions.spans.get(name, ()), place) for name in (actor, SOFTIRQ_THREAD)]
        found = any(matcher.find(expectation.path) is not None for matcher in matchers)
        if found is not expectation.never:
            return
        where = f"{self._source}:{expectation.line}: {actor}'s {call}"
        if expectation.never:
            yield f"{where} must not go through {', '.join(map(str, expectation.path))}, but did"
            return
        missing = [
            "|".join(item.names)
            for part in expectation.path
            for item in part.leaves()
            if not any(matcher.has(item) for matcher in matchers)
        ]
        why = (
            f"{', '.join(dict.fromkeys(missing))} not called"
            if missing
            else "all called, but not one from the other so"
        )
        more = f"; {functions.lost} events were lost" if functions.lost else ""
        yield f"{where} must go through {', '.join(map(str, expectation.path))}: {why}{more}"

    def _remember(self, step: Step) -> None:
        for event in step.outcome.events:
            if isinstance(event, (Completed, Exited)):
                self._asleep.pop(event.actor, None)
        if step.actor is not None and step.actor in step.outcome.blocked:
            self._asleep[step.actor] = step.call.name


def _nothing(_function: str) -> Mapping[str, Inlined]:
    return {}


def _ended(step: Step, answer: str) -> bool:
    if not answer:
        return True
    if answer == "blocked":
        return step.actor in step.outcome.blocked
    result = next(
        (event.result for event in step.outcome.events if isinstance(event, Completed) and event.actor == step.actor),
        None,
    )
    if result is None:
        return False
    if answer in ("ok", "error"):
        return (result.errno is None) is (answer == "ok")
    return answer in (result.errno, str(result.value) if result.errno is None else None)
