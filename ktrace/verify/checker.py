"""Hold observed steps against the model, one after the other; the guest may be live or long gone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any

from ktrace.errors import REPORT, KernelLacks, ModelError, NotModelled
from ktrace.model.calls import is_modelled
from ktrace.model.kernel import Kernel
from ktrace.state.call import Completed, Continued, Event, Exited, Outcome, Signalled, Stopped
from ktrace.state.compare import ABSENT, Agreed, Difference, Held, compare, count_fields, differ
from ktrace.state.naming import Namer
from ktrace.state.passed_over import is_unknown
from ktrace.state.ref import Ref
from ktrace.state.rule import Choice, Rule
from ktrace.state.step import Step
from ktrace.state.unread import Unread, UnreadMember
from ktrace.state.world import World
from ktrace.verify import citations
from ktrace.verify.evidence import evidence_of

ModelFactory = Callable[[], Kernel]
StepHistory = Callable[[], Iterable[Step]]
"""Gives the steps so far again, from the first on."""


WAKE_ORDER = Rule("kernel/sched/core.c", "wake_up_q", "those who are woken at once return in any order")
"""What they come back with is compared: who takes what others wait for shows in their results, not in their order."""

OUT_OF_MEMORY = "Out of memory: Killed process"
"""What ``mm/oom_kill.c: __oom_kill_process()`` says: whom it kills is not modelled."""


class Checker:
    """Run the model beside a series of observed steps.

    :param make_model: builds the model in the state of the guest before the first step
    :param history: where the steps so far are kept (a session file); ``None``: here, all of them
    :ivar steps: steps compared so far; *fields* and *objects* are counted likewise
    :ivar held: how many of the *fields* were only held to a rule
    :ivar choices: what the kernel did in the last step that the model could not predict, by rule
    """

    def __init__(self, make_model: ModelFactory, history: StepHistory | None = None) -> None:
        self._make_model = make_model
        self._history = history
        self._model = make_model()
        self._namer = Namer()
        self._agreed: Agreed = {}
        self._unsure: set[str] = set()
        self._kept: list[Step] = []
        self._field_counts: dict[Ref, tuple[Any, int]] = {}
        self.steps = 0
        self.fields = 0
        self.objects = 0
        self.held = 0
        self.choices: tuple[Choice, ...] = ()

    @property
    def model(self) -> Kernel:
        """The model as the steps so far left it; what looks at it must not change it."""
        return self._model

    def initial(self, observed: World) -> tuple[Difference, ...]:
        """Compare the World before the first step."""
        return tuple(compare(observed, self._namer.name(self._model.world()), unsure=self._unsure))

    def check(self, step: Step) -> tuple[Difference, ...]:
        """Predict *step* and return where the kernel did otherwise.

        :raises NotModelled: the model does not know the call, or says that it does not know what it does here
        :raises KernelLacks: what it does depends on a member that this kernel's debug information has not
        :raises ModelError: the model itself fails
        """
        if not is_modelled(step.actor, step.call.name):
            raise NotModelled(step.number, f"{step.call.name} is not modelled")
        if any(OUT_OF_MEMORY in line for line in step.console):
            raise NotModelled(step.number, f"{step.call.name}: the guest has run out of memory; --memory gives it more")
        evidence = evidence_of(step)
        if self._history is None:
            self._kept.append(step)
        try:
            expected_outcome = self._model.act(step.actor, step.call, evidence)
            expected = self._namer.name(self._model.world())
        except NotImplementedError as error:
            what = str(error) or "the model does not know what it does here"
            raise NotModelled(step.number, f"{step.call.name} is not modelled here: {what}") from error
        except KernelLacks as error:
            raise KernelLacks(f"step {step.number}: {error.message}", error.hint) from error
        except Exception as error:
            raise ModelError(
                f"the model fails at step {step.number}, {step.call.name!r}: {type(error).__name__}: {error}", REPORT
            ) from error
        self.steps += 1
        self._count(step.world)
        held = Held()
        differences = compare_outcomes(step.outcome, expected_outcome, held.choices)
        differences += compare(step.world, expected, self._agreed, held, self._unsure)
        self.held += held.fields
        if differences and self._model.untold:
            raise KernelLacks(f"step {step.number}: this is {self._model.untold}, and what happened may depend on it")
        if differences and is_unknown(step.call.name):
            what = f"{step.call.name} is not modelled, and it has changed {differences[0].path}"
            raise NotModelled(step.number, what)
        if differences and self._model.unseen:
            self._require_seen(step)
        # A choice that is not allowed, and yet all agrees: somebody else did what the rule looks for.
        taken = (choice for choice in self._model.choices if differences or choice.allowed)
        self.choices = (*taken, *held.choices)
        return tuple(differences)

    def _require_seen(self, step: Step) -> None:
        """See that what the kernel chose cannot have been in an object that was not read.

        :raises KernelLacks: it can: nobody knows whether the kernel did it right
        """
        for value in step.world.objects.values():
            if isinstance(value, Unread):
                what = f"{value.name} is not in this kernel's debug information, and what happened may depend on it"
                raise KernelLacks(f"step {step.number}: {what}", UnreadMember(value).hint)

    def rules(self, differences: tuple[Difference, ...]) -> tuple[str, ...]:
        """Return the kernel functions that the rules mirror which decided what differs after the last step.

        The whole history runs again in a fresh model, and its last step is watched; that costs nothing as long as
        all agrees.
        """
        steps = self._kept if self._history is None else islice(self._history(), self.steps)
        history = ((step, evidence_of(step)) for step in steps)
        return citations.of_step(self._make_model, history, differences, self._namer.names())

    def _count(self, world: World) -> None:
        counts = self._field_counts
        total = 0
        for ref, value in world.objects.items():
            known = counts.get(ref)
            if known is None or known[0] is not value:
                counts[ref] = known = (value, count_fields(value))
            total += known[1]
        self.objects += len(world.objects)
        self.fields += total


def compare_outcomes(observed: Outcome, expected: Outcome, held: list[Choice] | None = None) -> list[Difference]:
    """Return where two outcomes differ: each actor's events in their order, then who is blocked.

    :param held: told of what was only held to a rule
    """
    differences: list[Difference] = []
    seen, wanted = list(map(_event, observed.events)), list(map(_event, expected.events))
    seen_names, wanted_names = [name for name, _ in seen], [name for name, _ in wanted]
    if seen_names != wanted_names and sorted(seen_names) == sorted(wanted_names):
        if _by_actor(observed) != _by_actor(expected):
            differences.append(Difference("order of events", ", ".join(seen_names), ", ".join(wanted_names)))
        elif held is not None:
            held.append(Choice(WAKE_ORDER, ", ".join(seen_names), True, "order of events"))
    remaining = list(wanted)
    for name, value in seen:
        match = next((index for index, (other, _) in enumerate(remaining) if other == name), None)
        if match is None:
            differences.append(Difference(name, value, ABSENT))
        else:
            differences += differ(name, value, remaining.pop(match)[1], held)
    differences += [Difference(name, ABSENT, value) for name, value in remaining]
    for actor in sorted(observed.blocked ^ expected.blocked):
        states = ("blocked", "not blocked") if actor in observed.blocked else ("not blocked", "blocked")
        differences.append(Difference(f"{actor}", *states))
    return differences


def _by_actor(outcome: Outcome) -> dict[str, list[str]]:
    """Return what each actor went through, in order."""
    found: dict[str, list[str]] = {}
    for event in outcome.events:
        found.setdefault(event.actor, []).append(_event(event)[0])
    return found


def _event(event: Event) -> tuple[str, Mapping[str, Any]]:
    """Return an event's name for the report, and what of it is compared."""
    if isinstance(event, Completed):
        result = event.result
        value = result.errno if result.errno is not None else result.value
        return f"{event.actor}'s result", {"value": value, **result.out}
    if isinstance(event, Signalled):
        return (
            f"{event.actor}'s {event.signal}",
            {"code": event.code, "sender": event.sender, "fd": event.fd, "band": event.band},
        )
    if isinstance(event, Stopped):
        return f"{event.actor}'s stop", {"signal": event.signal}
    if isinstance(event, Continued):
        return f"{event.actor}'s continuation", {}
    assert isinstance(event, Exited)
    return f"{event.actor}'s end", {"status": event.status, "signal": event.signal}
