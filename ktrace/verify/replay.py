"""Hold a recorded trace against the model, without a guest."""

from __future__ import annotations

from pathlib import Path

from ktrace.model.build import build_model
from ktrace.state.step import Step
from ktrace.trace.session import End, Sink, Verdict
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.checker import Checker
from ktrace.verify.path_replay import RecordedPaths, expectations_of


def replay(reader: SessionReader, sink: Sink, paths: Path | None = None) -> End:
    """Check every step that *reader* has, until one diverges: against the model, and its functions against the paths.

    :param paths: the file of these; ``None``: the one beside the bundled workload that the session is of
    :raises UsageError: the trace cannot be read, or the model does not know one of its calls
    """
    header = reader.header
    sink.header(header)
    checker = Checker(lambda: build_model(header.facts), lambda: SessionReader(reader.path).steps())
    differences = tuple(checker.initial(header.initial))
    if differences:
        sink.verdict(Verdict(0, differences))
        return _ended(sink, checker, "diverged", "the World before the first step differs")
    ways = RecordedPaths(*expectations_of(header, paths))
    for event in reader.events():
        if not isinstance(event, Step):
            continue
        sink.step(event)
        differences = checker.check(event)
        complaints = ways.check(event)
        if differences or complaints:
            rules = checker.rules(differences) if differences else ()
            sink.verdict(Verdict(event.number, differences, rules, complaints))
            return _ended(sink, checker, "diverged", "")
    if not reader.truncated and (unmet := ways.unmet()):
        sink.verdict(Verdict(checker.steps, (), (), unmet))
        return _ended(sink, checker, "diverged", "some expected paths were never put to the test")
    return _ended(sink, checker, "agreed", "the trace was cut off" if reader.truncated else "")


def _ended(sink: Sink, checker: Checker, status: str, message: str) -> End:
    end = End(status, checker.steps, checker.objects, checker.fields, message)
    sink.end(end)
    return end
