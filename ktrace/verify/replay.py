"""Hold a recorded trace against the model, without a guest."""

from __future__ import annotations

from ktrace.model.build import build_model
from ktrace.state.step import Step
from ktrace.trace.session import End, SessionReader, Verdict
from ktrace.verify.checker import Checker
from ktrace.verify.sink import Sink


def replay(reader: SessionReader, sink: Sink) -> End:
    """Check every step that *reader* has, until one diverges.

    :raises UsageError: the trace cannot be read, or the model does not know one of its calls
    """
    header = reader.header
    sink.header(header)
    checker = Checker(lambda: build_model(header.facts), lambda: SessionReader(reader.path).steps())
    differences = tuple(checker.initial(header.initial))
    if differences:
        sink.verdict(Verdict(0, differences))
        return _ended(sink, checker, "diverged", "the World before the first step differs")
    for event in reader.events():
        if not isinstance(event, Step):
            continue
        sink.step(event)
        differences = checker.check(event)
        if differences:
            sink.verdict(Verdict(event.number, differences, checker.rules(differences)))
            return _ended(sink, checker, "diverged", "")
    return _ended(sink, checker, "agreed", "the trace was cut off" if reader.truncated else "")


def _ended(sink: Sink, checker: Checker, status: str, message: str) -> End:
    end = End(status, checker.steps, checker.objects, checker.fields, message)
    sink.end(end)
    return end
