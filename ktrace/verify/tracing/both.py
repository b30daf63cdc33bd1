"""The functions of every step and chosen events, out of the one trace buffer that a guest has."""

from __future__ import annotations

from ktrace.agent.actors import Performed
from ktrace.verify.tracing.events import EventTracer
from ktrace.verify.tracing.functions import FunctionTracer
from ktrace.verify.tracing.protocol import Recorded


class BothTracers:
    """Take what both have recorded; what the buffer lost may have been either's, so both tell it."""

    def __init__(self, functions: FunctionTracer, events: EventTracer) -> None:
        self._functions = functions
        self._events = events

    def take(self, performed: Performed) -> Recorded:
        """Return what was recorded of a step, which was *performed* just now."""
        self._functions.admit(performed)
        buffer = self._events.buffer
        records = buffer.read()
        functions = self._functions.assemble(performed, records, buffer.lost)
        return Recorded(functions, self._events.decode(records, buffer.lost))
