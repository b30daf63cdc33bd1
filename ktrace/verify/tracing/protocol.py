"""What the guest's tracers recorded of a step, whichever of them are at work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ktrace.agent.actors import Performed
from ktrace.state.trace.functions import FunctionTrace
from ktrace.state.trace.tracepoint import EventTrace


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was recorded of one step; ``None`` for what nobody asked for."""

    functions: FunctionTrace | None = None
    events: EventTrace | None = None


class StepTracer(Protocol):
    """Take what was recorded out of the guest, step by step."""

    def take(self, performed: Performed) -> Recorded:
        """Return what was recorded of a step, which was *performed* just now."""
