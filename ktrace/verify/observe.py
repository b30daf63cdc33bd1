"""One step of a guest: a call is made, and what it left is looked at. There is no other way to come by a step."""

from __future__ import annotations

import time
from collections.abc import Callable

from ktrace.agent.syscalls import format_call, format_result
from ktrace.state.call import Call, Completed, Exited, Outcome
from ktrace.state.step import Step
from ktrace.verify.lab import Lab
from ktrace.verify.tracing.protocol import Recorded, StepTracer

AfterCall = Callable[[int, Lab], None]
"""Called with a step's number between its call and the look at what that left."""


def observe_step(
    lab: Lab,
    number: int,
    actor: str | None,
    call: Call,
    tracer: StepTracer | None = None,
    *,
    began: int = 0,
    line: int = 0,
    comment: str = "",
    after_call: AfterCall | None = None,
) -> Step:
    """Have *actor* make *call*, and look at what it left.

    :param tracer: takes what the guest recorded of the call
    :param began: ns of the host's CLOCK_MONOTONIC at the beginning of the session
    :param line: of the script; *comment*: what the script says about the step
    :raises UsageError: the call cannot be made: it never reached the guest
    :raises CorruptStructure: what it left cannot be read
    :raises GuestError: the guest failed
    """
    asked = time.monotonic_ns()
    performed = lab.perform(actor, call)
    host = (asked - began, time.monotonic_ns() - began)
    recorded = tracer.take(performed) if tracer is not None else Recorded()
    if after_call is not None:
        after_call(number, lab)
    outcome = performed.outcome
    sleeps, world = lab.see(outcome.blocked)
    text, answer = _texts(actor, call, outcome)
    return Step(
        number=number,
        actor=actor,
        call=call,
        text=text,
        answer=answer,
        outcome=outcome,
        # Who sleeps may be woken by a timer until it is seen.
        clock=lab.until(performed.clock) if outcome.blocked else performed.clock,
        world=world,
        sleeps=sleeps,
        line=line,
        comment=comment,
        functions=recorded.functions,
        probes=performed.hits,
        console=lab.guest.console.fresh(),
        host=host,
        guest=performed.times,
        addresses=lab.fresh,
        events=recorded.events,
    )


def _texts(actor: str | None, call: Call, outcome: Outcome) -> tuple[str, str]:
    """Return the call and its answer as text, decoded like strace does."""
    for event in outcome.events:
        if isinstance(event, Completed) and event.actor == actor:
            return format_call(call, result=event.result), format_result(call, event.result, outs=False)
    if actor is not None and actor in outcome.blocked:
        return format_call(call), "blocked"
    ended = any(isinstance(event, Exited) and event.actor == actor for event in outcome.events)
    return format_call(call), "?" if ended else "0"
