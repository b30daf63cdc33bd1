"""Make the calls of a session again in a guest in the same state, and see that everything is as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ktrace.agent.syscalls import format_call
from ktrace.agent.traced import TracedActors
from ktrace.errors import UsageError
from ktrace.state.call import Call, Completed
from ktrace.state.compare import compare
from ktrace.state.ref import Ref
from ktrace.state.step import Step
from ktrace.trace.difference import INCIDENTAL, Differing, differences
from ktrace.trace.session_state import SessionState
from ktrace.verify.checker import compare_outcomes
from ktrace.verify.exec.lab import ProgramLab
from ktrace.verify.lab import Lab
from ktrace.verify.observe import observe_step
from ktrace.verify.paused import Inspection
from ktrace.verify.tracing.protocol import StepTracer

SHOWN = 4
"""Differences that an error message tells of."""


class RanOtherwise(UsageError):
    """A guest did not do again what a session says it did."""


def rerun(
    state: SessionState,
    steps: Iterator[Step],
    number: int,
    lab: Lab,
    tracer: StepTracer | None = None,
    pause: Callable[[], None] = lambda: None,
    moved: bool = False,
) -> None:
    """Make the calls of *steps* in *lab* until step *number* is done; *state* follows.

    Compared with the session are every call's result, who is blocked, the whole World, and the addresses of all
    objects, as far as the session has them; not seconds at which something happened.

    :param moved: let objects lie elsewhere than the session says
    :param pause: has the guest stand still; called after the last call, before the look at what it left
    :param state: where *lab* is, and the session that *steps* go on with
    :raises UsageError: the session has no such step
    :raises RanOtherwise: the guest did not do the same
    """
    while state.number < number:
        recorded = next(steps, None)
        if recorded is None:
            raise UsageError(f"the session has {state.number} steps, not {number}", "see: ktrace show SESSION")
        if isinstance(lab, ProgramLab) and recorded.actor in lab.program.tasks:
            _must_be_next(lab.program, recorded.number, recorded.actor, recorded.call)
        again = observe_step(
            lab,
            recorded.number,
            recorded.actor,
            recorded.call,
            tracer,
            after_call=lambda at, _lab: pause() if at == number else None,
        )
        read = _read_by_program(recorded) if isinstance(lab, ProgramLab) else ()
        differing = differences([recorded], [again], functions=False)
        found = [_said(item) for item in differing if not item.what.endswith(read)]
        found += [
            f"{item.path}: {item.expected}, now {item.observed}"
            for item in compare_outcomes(again.outcome, recorded.outcome)
            if not item.path.rstrip("]").endswith(INCIDENTAL) and not item.path.endswith(read)
        ]
        if not moved:
            found += _moved(recorded.addresses, again.addresses)
        _refuse(recorded.number, recorded.text, found)
        state.follow(recorded)


def _read_by_program(step: Step) -> tuple[str, ...]:
    """Return how that ends which names the bytes that a program got: from /dev/urandom, others each time.

    What it does because of them is seen at its next calls.
    """
    return tuple(
        end
        for event in step.outcome.events
        if isinstance(event, Completed)
        for name, value in event.result.out.items()
        if isinstance(value, bytes)
        for end in (f"{event.actor}.{name}", f"{event.actor}'s result[{name}]")
    )


def _must_be_next(program: TracedActors, number: int, name: str, call: Call) -> None:
    """See that a task of a program is about to do what it did."""
    ahead = program.next_call(name) if name in program.ready else None
    if ahead != call:
        now = "nothing" if ahead is None else format_call(ahead)
        _refuse(number, format_call(call), [f"{name} is about to do {now}"])


def arrive(state: SessionState, inspection: Inspection, exact: bool, moved: bool = False) -> None:
    """See that a guest is where *state* says, before anything is done in it.

    :param exact: it is the very guest, so the times are the same, too
    :param moved: let objects lie elsewhere than the session says
    :raises RanOtherwise: it is not
    """
    world = inspection.look()
    found = [
        f"{item.path}: {item.expected}, now {item.observed}"
        for item in compare(world, state.world)
        if exact or not item.path.endswith(INCIDENTAL)
    ]
    if not moved:
        found += _moved(state.addresses, inspection.namer.fresh)
    _refuse(state.number, "as it begins", found)


def _moved(recorded: Mapping[Ref, int], again: Mapping[Ref, int]) -> list[str]:
    return [
        f"{ref} is at {again[ref]:#x}, not at {address:#x}"
        for ref, address in recorded.items()
        if ref in again and again[ref] != address
    ]


def _said(item: Differing) -> str:
    return f"{item.what}: {item.one}, now {item.other}"


def _refuse(number: int, text: str, found: list[str]) -> None:
    if not found:
        return
    more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    raise RanOtherwise(
        f"step {number}, {text}, did not go as the session says: {'; '.join(found[:SHOWN])}{more}",
        "is the image the one that it ran on? a session that keeps checkpoints (ktrace run --checkpoint) needs no "
        "second run; with --moved objects may lie elsewhere",
    )
