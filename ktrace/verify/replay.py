"""Hold a recorded trace against the model, without a guest."""

from __future__ import annotations

from pathlib import Path

from ktrace.trace.session import End, Sink
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.judge import judge
from ktrace.verify.path_replay import RecordedPaths, expectations_of


def replay(reader: SessionReader, sink: Sink, paths: Path | None = None) -> End:
    """Check every step that *reader* has, until one diverges: against the model, and its functions against the paths.

    :param paths: the file of these; ``None``: the one beside the bundled workload that the session is of
    :raises UsageError: the trace cannot be read, or the model does not know one of its calls
    """
    return judge(
        reader.header,
        ((step, ()) for step in reader.steps()),
        sink,
        history=lambda: SessionReader(reader.path).steps(),
        paths=RecordedPaths(*expectations_of(reader.header, paths)),
        cut_off=lambda: reader.truncated,
    )
