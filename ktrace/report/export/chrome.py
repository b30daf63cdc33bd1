"""Chrome's trace event format: JSON for chrome://tracing, Perfetto, speedscope and many others."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from ktrace.report.export.timeline import Begin, Counter, Finish, Mark

_PID = 1


def chrome(title: str, marks: Iterable[Mark]) -> Iterator[str]:
    """Yield the file, one event a line; times are microseconds."""
    yield '{"displayTimeUnit":"ns","traceEvents":[\n'
    yield _named("process_name", 0, title)
    tracks: dict[str, int] = {}
    open_: dict[str, list[str]] = {}  # the end of a slice repeats its name: some readers want it
    for mark in marks:
        time = mark.time / 1000
        if isinstance(mark, Counter):
            value = f"{{{_text(mark.unit)}:{mark.value}}}"
            yield f',\n{{"ph":"C","name":{_text(mark.name)},"pid":{_PID},"tid":0,"ts":{time},"args":{value}}}'
            continue
        thread = tracks.get(mark.track)
        if thread is None:
            thread = tracks[mark.track] = len(tracks) + 1
            yield ",\n" + _named("thread_name", thread, mark.track)
        if isinstance(mark, Finish):
            start = f'"ph":"E","name":{open_[mark.track].pop()}'
        elif isinstance(mark, Begin):
            name = _text(mark.name)
            open_.setdefault(mark.track, []).append(name)
            start = f'"ph":"B","name":{name},"cat":{_text(mark.category)},"args":{_arguments(mark.details)}'
        else:
            start = f'"ph":"i","s":"t","name":{_text(mark.name)},"cat":"event","args":{_arguments(mark.details)}'
        yield f',\n{{{start},"pid":{_PID},"tid":{thread},"ts":{time}}}'
    yield "\n]}\n"


def _named(what: str, thread: int, name: str) -> str:
    return f'{{"ph":"M","name":"{what}","pid":{_PID},"tid":{thread},"ts":0,"args":{{"name":{_text(name)}}}}}'


def _arguments(details: Mapping[str, str | int]) -> str:
    parts = [f"{_text(name)}:{_text(value) if isinstance(value, str) else value}" for name, value in details.items()]
    return "{" + ",".join(parts) + "}"


@lru_cache(10_000)
def _text(text: str) -> str:
    """Return a string as JSON, without NUL, where some readers stop."""
    return json.dumps(text.replace("\0", "\ufffd"))
