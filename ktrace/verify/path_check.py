"""Hold the steps of a session against the paths that their calls are expected to go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ktrace.inspect.inlined import Inlined
from ktrace.state.call import Completed, Exited
from ktrace.state.step import Step
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
            matchers = {actor: Matcher(spans, self._place) for actor, spans in step.functions.spans.items()}
            # That something is inlined where a call went through does not prove that it ran.
            strict = {actor: Matcher(spans, _nothing) for actor, spans in step.functions.spans.items()}
            for expectation in self._expectations:
                for actor, call in self._calls(expectation, step):
                    self.checked += 1
                    self._unmet.pop(expectation, None)
                    complaints += self._hold(
                        expectation,
                        actor,
                        call,
                        (strict if expectation.never else matchers).get(actor),
                        step.functions.lost,
                    )
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

    def _hold(
        self, expectation: Expectation, actor: str, call: str, matcher: Matcher | None, lost: int
    ) -> Iterator[str]:
        found = None if matcher is None else matcher.find(expectation.path)
        if (found is not None) is not expectation.never:
            return
        where = f"{self._source}:{expectation.line}: {actor}'s {call}"
        if expectation.never:
            yield f"{where} must not go through {', '.join(map(str, expectation.path))}, but did"
            return
        missing = [
            "|".join(item.names)
            for part in expectation.path
            for item in part.leaves()
            if matcher is None or not matcher.has(item)
        ]
        why = (
            f"{', '.join(dict.fromkeys(missing))} not called"
            if missing
            else "all called, but not one from the other so"
        )
        more = f"; {lost} events were lost" if lost else ""
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
