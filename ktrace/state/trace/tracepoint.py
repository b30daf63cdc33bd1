"""What tracepoints and kprobes recorded while a step was made."""

from __future__ import annotations

from collections.abc import Mapping

from ktrace.state.quick import dataclass


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """One event as ftrace recorded it.

    :param name: ``sched:sched_wakeup``, or the function of a kprobe, ``%return`` behind it where it returned
    :param actor: in whose context; a kernel thread's name where it was no actor
    :param time: ns of the guest's scheduler clock (``sched_clock()``)
    :param fields: as C text, by name; those of a kprobe by the expressions that were asked for
    """

    name: str
    actor: str
    time: int
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class EventTrace:
    """The events of one step, in their order.

    :param lost: events that there was no room for, or that a kprobe missed
    """

    events: tuple[TraceEvent, ...] = ()
    lost: int = 0
