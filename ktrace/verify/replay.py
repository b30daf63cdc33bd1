"""Hold a recorded trace against the model, without a guest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ktrace.state.step import Step
from ktrace.trace.session import UNCHECKED, End, Sink
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.judge import Observed, judge
from ktrace.verify.path_replay import RecordedPaths, expectations_of


def replay(reader: SessionReader, sink: Sink, paths: Path | None = None) -> End:
    """Check every step that *reader* has, until one diverges: against the model, and its functions against the paths.

    :param paths: the file of these; ``None``: the one beside the bundled workload that the session is of
    :raises UsageError: the trace cannot be read, or the model does not know one of its calls
    """
    end: End | None = None

    def steps() -> Iterator[Observed]:
        nonlocal end
        for event in reader.events():
            if isinstance(event, Step):
                yield event, ()
            elif isinstance(event, End):
                end = event

    return judge(
        reader.header,
        steps(),
        sink,
        history=lambda: SessionReader(reader.path).steps(),
        paths=RecordedPaths(*expectations_of(reader.header, paths)),
        cut_off=lambda: cut_off(end, reader.truncated),
    )


def cut_off(end: End | None, truncated: bool) -> str:
    """Say why a session that ended so has not all of its steps; empty where it has."""
    if end is None or truncated:
        return "steps are missing: it was cut off, or is still being written"
    if end.status in ("agreed", "diverged", "empty", UNCHECKED):
        return ""
    return f"its run did not come to an end: {end.status}{f': {end.message}' if end.message else ''}"
