"""One step as it was observed: what was asked, what came back, what the kernel looked like then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from ktrace.state.call import Call, Outcome
from ktrace.state.quick import dataclass
from ktrace.state.ref import Ref
from ktrace.state.trace.functions import FunctionTrace
from ktrace.state.trace.probe import Hit
from ktrace.state.trace.tracepoint import EventTrace
from ktrace.state.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One observed step.

    :param number: from 1 on
    :param actor: who acted; ``None`` where ktrace did, from outside
    :param text: the call decoded like strace does
    :param answer: its result, decoded likewise; what became of it where it did not return
    :param clock: seconds of the guest's CLOCK_REALTIME just before and just after
    :param world: the named World afterwards
    :param sleeps: kernel functions in which the blocked actors sleep, innermost first
    :param line: line of the script, 0 for none
    :param comment: what the script says about it
    :param functions: the kernel functions that it went through, where they were recorded
    :param probes: what was seen on the way, where somebody asked for it
    :param console: what the kernel printed on the way
    :param host: ns of the host's CLOCK_MONOTONIC just before and just after, since the session began
    :param guest: ns of the guest's CLOCK_REALTIME_COARSE just before and just after: *clock*, precisely
    :param addresses: where the objects are that were seen first in this World, by their names
    :param events: what tracepoints and kprobes recorded, where somebody asked for it
    """

    number: int
    actor: str | None
    call: Call
    text: str
    answer: str
    outcome: Outcome
    clock: tuple[int, int]
    world: World
    sleeps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    line: int = 0
    comment: str = ""
    functions: FunctionTrace | None = None
    probes: tuple[Hit, ...] = ()
    console: tuple[str, ...] = ()
    host: tuple[int, int] = (0, 0)
    guest: tuple[int, int] = (0, 0)
    addresses: Mapping[Ref, int] = field(default_factory=dict)
    events: EventTrace | None = None


PTRACE = "ptrace_"
"""How functions begin in which a task of a program that is traced stands behind its call (``ptrace_notify()``)."""


def has_returned(functions: tuple[str, ...]) -> bool:
    """Tell whether who is in *functions* does not sleep in a call any more: a timer has ended it since the report."""
    return any(name.startswith(PTRACE) for name in functions)
