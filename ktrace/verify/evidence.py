"""What the model may know of an observed step: where the kernel may choose, it chose."""

from __future__ import annotations

from ktrace.model.observed import Evidence
from ktrace.state.call import Completed
from ktrace.state.step import Step

MAILBOX = "do_futex"
"""Where an actor sleeps that has nothing to do."""


def evidence_of(step: Step) -> Evidence:
    """Return what the model may know of an observed step."""
    results = {event.actor: event.result for event in step.outcome.events if isinstance(event, Completed)}
    # A timer may fire between the agent's report and the look at what is left: whose mailbox is waited for has left.
    left = frozenset(actor for actor, functions in step.sleeps.items() if MAILBOX in functions)
    return Evidence(results, step.world, step.clock, left)
