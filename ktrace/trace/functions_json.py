"""Function traces as JSON: flat, one short array a function, times relative to the step's first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ktrace.state.trace.functions import FunctionTrace, Span


def write_functions(trace: FunctionTrace) -> dict[str, Any]:
    """Return *trace* as what ``json.dumps`` takes.

    ``names`` holds each function once; ``spans`` has, by actor, ``[depth, name, start, duration, continued]`` with
    the name as an index and the start in ns after ``since``; the last two are left out where they say nothing.
    ``inlined`` has, by function, what is inlined in it and where.
    """
    names: dict[str, int] = {}
    since = min((span.start for spans in trace.spans.values() for span in spans), default=0)
    encoded: dict[str, list[list[int | bool | None]]] = {}
    for actor, spans in trace.spans.items():
        rows: list[list[int | bool | None]] = []
        encoded[actor] = rows
        for span in spans:
            row: list[int | bool | None] = [
                span.depth,
                names.setdefault(span.function, len(names)),
                span.start - since,
            ]
            if span.duration is not None or span.continued:
                row.append(span.duration)
            if span.continued:
                row.append(True)
            rows.append(row)
    event = {"since": since, "lost": trace.lost, "names": list(names), "spans": encoded}
    if trace.inlined:
        event["inlined"] = {function: [list(item) for item in items] for function, items in trace.inlined.items()}
    return event


def read_functions(event: Mapping[str, Any]) -> FunctionTrace:
    """Return what :func:`write_functions` was given.

    :raises KeyError, TypeError, IndexError: *event* is something else
    """
    names, since = event["names"], event["since"]
    spans = {
        actor: tuple(
            [
                Span(row[0], names[row[1]], since + row[2], row[3] if len(row) > 3 else None, len(row) > 4)
                for row in rows
            ]
        )
        for actor, rows in event["spans"].items()
    }
    inlined = {
        function: tuple([(name, place) for name, place in items])
        for function, items in event.get("inlined", {}).items()
    }
    return FunctionTrace(spans, event["lost"], inlined)
