"""A session as slices, instants and counters on one line of time, for every format that draws such things.

Inside a step time is the guest's (``sched_clock()``), as far as the function tracer measured it; a step without
measured functions lasts a microsecond. Between steps, where ktrace looks at a guest that stands still, no time passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

from ktrace.report.export.counters import counters

STEP_NS, GAP_NS = 1000, 1000
OUTSIDE = "ktrace"
"""The track of what ktrace does itself: spawning, signals from outside, verdicts."""


CONSOLE = "console"
"""The track of what the kernel printed."""

_NOTHING: Mapping[str, str | int] = {}


# Tuples: a session has millions of these, and nothing immutable is made faster.
class Begin(NamedTuple):
    """A slice begins on an actor's track.

    :param time: ns
    :param category: ``call`` or ``function``
    """

    track: str
    time: int
    name: str
    category: str
    details: Mapping[str, str | int] = _NOTHING


class Finish(NamedTuple):
    """The slice that began last on the track ends."""

    track: str
    time: int


class Instant(NamedTuple):
    """Something happened at one moment."""

    track: str
    time: int
    name: str
    details: Mapping[str, str | int] = _NOTHING


class Counter(NamedTuple):
    """A number has a new value from now on.

    :param unit: what it counts
    """

    name: str
    time: int
    unit: str
    value: int


Mark = Begin | Finish | Instant | Counter


class Timeline:
    """Turn the records of a session file into marks, in the order of time."""

    def __init__(self) -> None:
        self._now = GAP_NS
        self._open: set[str] = set()
        self._counters: dict[str, int] = {}
        self._of_object: dict[str, list[tuple[str, str]]] = {}

    def marks(self, records: Iterable[Mapping[str, Any]]) -> Iterator[Mark]:
        """Yield what *records* tell of.

        :raises KeyError, TypeError, IndexError: one of them is not a session's event
        """
        functions: Mapping[str, Any] | None = None
        said: list[Mark] = []
        events: Mapping[str, Any] | None = None
        for record in records:
            if "functions" in record:
                functions = record
            elif "probes" in record:
                said += (_stop(hit, self._now) for hit in record["hits"])
            elif "console" in record:
                said += (Instant(CONSOLE, self._now, line) for line in record["lines"])
            elif "events" in record:
                events = record
            elif "step" in record:
                yield from sorted(self._step(record, functions, events, said), key=_time)
                functions, events, said = None, None, []
            elif "diverged" in record:
                paths = ", ".join(item["path"] for item in record["differences"]) or "annotation"
                rules = ", ".join(record["rules"])
                yield Instant(OUTSIDE, self._now - GAP_NS, "diverged", {"fields": paths, "rules": rules})
        for track in sorted(self._open):
            yield Finish(track, self._now)

    def _step(
        self,
        record: Mapping[str, Any],
        functions: Mapping[str, Any] | None,
        events: Mapping[str, Any] | None,
        said: list[Mark],
    ) -> Iterator[Mark]:
        start = self._now
        trees, origin, length = _placed(functions, start)
        if events is not None and events["rows"]:
            if functions is None:
                origin = events["rows"][0][0]
                length = max(row[0] for row in events["rows"]) - origin
            said = said + [_event(row, start, origin, length) for row in events["rows"]]
        end = start + max(length, STEP_NS)
        self._now = end + GAP_NS
        actor = record["actor"] or OUTSIDE
        if actor in self._open:
            # It made a call before the last one was seen to end: a session put together by hand.
            self._open.discard(actor)
            yield Finish(actor, start)
        details: dict[str, str | int] = {"step": record["step"], "call": record["text"], "answer": record["answer"]}
        if record.get("comment"):
            details["comment"] = record["comment"]
        yield Begin(actor, start, record["call"]["name"], "call", details)
        yield from said
        for spans in trees:
            yield from spans
        outcome = record["outcome"]
        blocked = outcome["blocked"]["items"]
        ended = set() if actor in blocked else {actor}
        for event in outcome["events"]:
            who = event["actor"]
            if event["$"] == "call.Signalled":
                yield Instant(who, end, f"caught {event['signal']}", {"sender": str(event.get("sender"))})
            elif event["$"] == "call.Exited":
                how = f"killed by {event['signal']}" if event.get("signal") else f"exited {event.get('status')}"
                yield Instant(who, end, how)
                ended.add(who)
            elif event["$"] == "call.Stopped":
                yield Instant(who, end, f"stopped by {event['signal']}")
            elif event["$"] == "call.Continued":
                yield Instant(who, end, "continued")
            else:
                ended.add(who)
        for who in sorted(ended & (self._open | {actor})):
            self._open.discard(who)
            yield Finish(who, end)
        if actor in blocked:
            self._open.add(actor)
        yield from self._count(record, end)

    def _count(self, record: Mapping[str, Any], time: int) -> Iterator[Counter]:
        changed = record["changed"].get("$map", ())
        for key, value in changed:
            ref = key["$ref"]
            names = []
            for name, unit, number in counters(ref, value):
                names.append((name, unit))
                if self._counters.get(name) != number:
                    self._counters[name] = number
                    yield Counter(name, time, unit, number)
            self._of_object[ref] = names
        for item in record["gone"]:
            for name, unit in self._of_object.pop(item["$ref"], ()):
                if self._counters.pop(name, 0):
                    yield Counter(name, time, unit, 0)


def _stop(hit: Mapping[str, Any], time: int) -> Instant:
    """Return where a probe stopped the guest; when in its step is not known."""
    return Instant(hit["actor"], time, f"in {hit['function']}", {**hit["arguments"], **hit["shown"]})


def _event(row: list[Any], start: int, origin: int, length: int) -> Instant:
    """Return an event of ftrace; one that came while the guest waited for its orders stands at the step's edge."""
    time, actor, name, fields = row
    return Instant(actor, start + min(max(time - origin, 0), length), name, fields)


_ON, _LATER = {"goes on": "from an earlier step"}, {"returns": "in a later step"}
_DETAILS: Mapping[tuple[bool, bool], Mapping[str, str | int]] = {
    (False, False): _NOTHING, (True, False): _ON, (False, True): _LATER, (True, True): {**_ON, **_LATER},
}  # fmt: skip
"""What is said of a function that goes on from an earlier step, or into a later one."""


def _placed(functions: Mapping[str, Any] | None, start: int) -> tuple[list[list[Mark]], int, int]:
    """Return each actor's functions from *start* on, the guest's time of the first, and the length of all."""
    if functions is None:
        return [], 0, 0
    trees: list[list[Mark]] = []
    length = 0
    names, spans = functions["names"], functions["spans"]
    # What goes on from an earlier step began then; this step begins with the first that is new.
    fresh = [row[2] for rows in spans.values() for row in rows if len(row) <= 4 or not row[4]]
    origin = min(fresh, default=min((row[2] for rows in spans.values() for row in rows), default=0))
    for rows in spans.values():
        for row in rows:
            last = row[2] + (row[3] if len(row) > 3 and row[3] is not None else 0)
            length = max(length, last - origin)
    for actor, rows in spans.items():
        marks: list[Mark] = []
        open_: list[tuple[int, int]] = []
        for row in rows:
            depth, name, begin = row[0], names[row[1]], max(0, row[2] - origin)
            duration = row[3] if len(row) > 3 else None
            while open_ and open_[-1][0] >= depth:
                marks.append(Finish(actor, start + open_.pop()[1]))
            finish = length if duration is None else max(begin, row[2] - origin + duration)
            finish = min(finish, open_[-1][1] if open_ else length)
            begin = min(begin, finish)
            details = _DETAILS[len(row) > 4 and row[4], duration is None]
            marks.append(Begin(actor, start + begin, name, "function", details))
            open_.append((depth, finish))
        while open_:
            marks.append(Finish(actor, start + open_.pop()[1]))
        trees.append(marks)
    return trees, functions["since"] + origin, length


_time = itemgetter(1)
"""When a mark is: all of them have that in the same place."""
