"""What the model may know of an observed step: where the kernel may choose, it chose."""

from __future__ import annotations

from collections.abc import Mapping

from ktrace.model.observed import Evidence
from ktrace.state.call import Completed, Exited, Signalled
from ktrace.state.step import Step, has_returned
from ktrace.uapi.siginfo import SI_KERNEL

MAILBOX = "do_futex"
"""Where an actor sleeps that has nothing to do."""


def evidence_of(step: Step) -> Evidence:
    """Return what the model may know of an observed step."""
    results = {event.actor: event.result for event in step.outcome.events if isinstance(event, Completed)}
    # A timer may fire between the agent's report and the look at what is left: whose mailbox is waited for has left.
    left = frozenset(actor for actor, functions in step.sleeps.items() if MAILBOX in functions)
    behind = frozenset(actor for actor, functions in step.sleeps.items() if has_returned(functions))
    return Evidence(results, step.world, step.clock, left, _alarms(step), step.guest, behind, _signals(step))


def _signals(step: Step) -> Mapping[str, tuple[Signalled, ...]]:
    """Return the signals that each actor met, in order."""
    found: dict[str, tuple[Signalled, ...]] = {}
    for event in step.outcome.events:
        if isinstance(event, Signalled):
            found[event.actor] = (*found.get(event.actor, ()), event)
    return found


def _alarms(step: Step) -> Mapping[str, tuple[int, int]]:
    """Return how often each actor heard of its timer's end, or ended by it: before the actor returned, and at all."""
    found: dict[str, tuple[int, int]] = {}
    returned = False
    for event in step.outcome.events:
        if isinstance(event, Completed):
            returned = returned or event.actor == step.actor
        elif (isinstance(event, Signalled) and (event.signal, event.code) == ("SIGALRM", SI_KERNEL)) or (
            isinstance(event, Exited) and event.signal == "SIGALRM"
        ):
            early, all_of_them = found.get(event.actor, (0, 0))
            found[event.actor] = early + (not returned), all_of_them + 1
    return found
