"""Chrome's trace event format: JSON for chrome://tracing, Perfetto, speedscope and many others."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from ktrace.report.export.timeline import Begin, Counter, Finish, Mark

_PID = 1


def chrome(title: str, marks: Iterable[Mark]) -> Iterator[str]:
    """Yield the file, one event a line; times are microseconds."""
    yield '{"displayTimeUnit":"ns","traceEvents":[\n'
    yield _line({"ph": "M", "name": "process_name", "pid": _PID, "tid": 0, "ts": 0, "args": {"name": title}}, "")
    tracks: dict[str, int] = {}
    open_: dict[str, list[str]] = {}  # the end of a slice repeats its name: some readers want it
    for mark in marks:
        time = mark.time / 1000
        if isinstance(mark, Counter):
            counter = {"ph": "C", "name": mark.name, "pid": _PID, "tid": 0, "ts": time, "args": {mark.unit: mark.value}}
            yield _line(counter)
            continue
        thread = tracks.get(mark.track)
        if thread is None:
            thread = tracks[mark.track] = len(tracks) + 1
            name = {"name": mark.track}
            yield _line({"ph": "M", "name": "thread_name", "pid": _PID, "tid": thread, "ts": 0, "args": name})
        event: dict[str, Any] = {"pid": _PID, "tid": thread, "ts": time}
        if isinstance(mark, Finish):
            event |= {"ph": "E", "name": open_[mark.track].pop()}
        elif isinstance(mark, Begin):
            open_.setdefault(mark.track, []).append(mark.name)
            event |= {"ph": "B", "name": mark.name, "cat": mark.category, "args": dict(mark.details)}
        else:
            event |= {"ph": "i", "s": "t", "name": mark.name, "cat": "event", "args": dict(mark.details)}
        yield _line(event)
    yield "\n]}\n"


def _line(event: dict[str, Any], comma: str = ",\n") -> str:
    return comma + json.dumps(event, separators=(",", ":"))
