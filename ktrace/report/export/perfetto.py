"""Perfetto's TrackEvent protobuf: a track per actor, functions nested in calls, a counter track per number.

The field numbers are those of ``protos/perfetto/trace/`` in Perfetto: ``trace_packet.proto``,
``track_event/{track_descriptor,track_event,debug_annotation,counter_descriptor}.proto``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ktrace.report.export.protobuf import LENGTH, VARINT, integer, message, tag, text, varint
from ktrace.report.export.timeline import Begin, Counter, Finish, Instant, Mark

_PACKET = 1
_TIMESTAMP, _SEQUENCE, _TRACK_EVENT, _TRACK_DESCRIPTOR = 8, 10, 11, 60
_UUID, _NAME, _PROCESS, _THREAD, _PARENT, _COUNTER = 1, 2, 3, 4, 5, 8
_ANNOTATION, _TYPE, _TRACK_UUID, _CATEGORY, _EVENT_NAME, _COUNTER_VALUE = 4, 9, 11, 22, 23, 30
_SLICE_BEGIN, _SLICE_END, _INSTANT, _COUNT = 1, 2, 3, 4
_SEQUENCE_ID = 1
_PID = 1
_ROOT = 1
_FIRST_TRACK, _FIRST_CURVE = 1000, 1_000_000

_START, _TIME = tag(_PACKET, LENGTH), tag(_TIMESTAMP, VARINT)
_END = integer(_SEQUENCE, _SEQUENCE_ID)
_REMEMBERED = 50_000
"""Slices kept encoded: by far more than there are functions."""


def perfetto(title: str, marks: Iterable[Mark]) -> Iterator[bytes]:
    """Yield a trace, packet by packet.

    :param title: the name of the process that holds all tracks
    """
    process = integer(1, _PID) + text(6, title)
    yield _packet(message(_TRACK_DESCRIPTOR, integer(_UUID, _ROOT) + message(_PROCESS, process)))
    tracks: dict[str, int] = {}
    curves: dict[str, bytes] = {}
    # What of a packet is the same every time: all but the time, and the value of a counter.
    ends: dict[str, bytes] = {}
    begins: dict[tuple[str, str, str], bytes] = {}
    for mark in marks:
        if isinstance(mark, Finish):
            rest = ends[mark.track]
        elif isinstance(mark, Counter):
            curve = curves.get(mark.name)
            if curve is None:
                uuid = _FIRST_CURVE + len(curves)
                curve = curves[mark.name] = integer(_TYPE, _COUNT) + integer(_TRACK_UUID, uuid)
                descriptor = integer(_UUID, uuid) + text(_NAME, mark.name) + integer(_PARENT, _ROOT)
                yield _packet(message(_TRACK_DESCRIPTOR, descriptor + message(_COUNTER, text(6, mark.unit))))
            rest = _rest(curve + integer(_COUNTER_VALUE, mark.value))
        else:
            track = mark.track
            if track not in tracks:
                uuid = tracks[track] = _FIRST_TRACK + len(tracks)
                thread = integer(1, _PID) + integer(2, uuid) + text(5, track)
                descriptor = integer(_UUID, uuid) + integer(_PARENT, _ROOT) + message(_THREAD, thread)
                yield _packet(message(_TRACK_DESCRIPTOR, descriptor))
                ends[track] = _rest(integer(_TRACK_UUID, uuid) + integer(_TYPE, _SLICE_END))
            rest = _slice(mark, tracks[track], begins)
        yield _packet_at(mark.time, rest)


def _slice(mark: Begin | Instant, uuid: int, begins: dict[tuple[str, str, str], bytes]) -> bytes:
    """Return what follows the time of a slice's begin or of an instant; functions come again and again."""
    category = mark.category if isinstance(mark, Begin) else "event"
    key = (mark.track, category, mark.name)
    if not mark.details and (known := begins.get(key)) is not None:
        return known
    kind = _SLICE_BEGIN if isinstance(mark, Begin) else _INSTANT
    event = integer(_TRACK_UUID, uuid) + integer(_TYPE, kind) + text(_CATEGORY, category) + text(_EVENT_NAME, mark.name)
    rest = _rest(event + _annotations(mark.details))
    if not mark.details and len(begins) < _REMEMBERED:
        begins[key] = rest
    return rest


def _rest(event: bytes) -> bytes:
    return message(_TRACK_EVENT, event) + _END


def _packet_at(time: int, rest: bytes) -> bytes:
    content = _TIME + varint(time) + rest
    return _START + varint(len(content)) + content


def _packet(content: bytes) -> bytes:
    return message(_PACKET, content + _END)


def _annotations(details: Mapping[str, str | int]) -> bytes:
    out = b""
    for name, value in details.items():
        out += message(_ANNOTATION, text(10, name) + (integer(4, value) if isinstance(value, int) else text(6, value)))
    return out
