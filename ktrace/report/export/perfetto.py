"""Perfetto's TrackEvent protobuf: a track per actor, functions nested in calls, a counter track per number.

The field numbers are those of ``protos/perfetto/trace/`` in Perfetto: ``trace_packet.proto``,
``track_event/{track_descriptor,track_event,debug_annotation,counter_descriptor}.proto``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ktrace.report.export.protobuf import integer, message, text
from ktrace.report.export.timeline import Begin, Counter, Finish, Mark

_PACKET = 1
_TIMESTAMP, _SEQUENCE, _TRACK_EVENT, _TRACK_DESCRIPTOR = 8, 10, 11, 60
_UUID, _NAME, _PROCESS, _THREAD, _PARENT, _COUNTER = 1, 2, 3, 4, 5, 8
_ANNOTATION, _TYPE, _TRACK_UUID, _CATEGORY, _EVENT_NAME, _COUNTER_VALUE = 4, 9, 11, 22, 23, 30
_SLICE_BEGIN, _SLICE_END, _INSTANT, _COUNT = 1, 2, 3, 4
_SEQUENCE_ID = 1
_PID = 1
_ROOT = 1


def perfetto(title: str, marks: Iterable[Mark]) -> Iterator[bytes]:
    """Yield a trace, packet by packet.

    :param title: the name of the process that holds all tracks
    """
    process = integer(1, _PID) + text(6, title)
    yield _packet(message(_TRACK_DESCRIPTOR, integer(_UUID, _ROOT) + message(_PROCESS, process)))
    tracks: dict[str, int] = {}
    counters: dict[str, int] = {}
    for mark in marks:
        if isinstance(mark, Counter):
            uuid = counters.get(mark.name)
            if uuid is None:
                uuid = counters[mark.name] = 1_000_000 + len(counters)
                descriptor = integer(_UUID, uuid) + text(_NAME, mark.name) + integer(_PARENT, _ROOT)
                yield _packet(message(_TRACK_DESCRIPTOR, descriptor + message(_COUNTER, text(6, mark.unit))))
            event = integer(_TYPE, _COUNT) + integer(_TRACK_UUID, uuid) + integer(_COUNTER_VALUE, mark.value)
        else:
            uuid = tracks.get(mark.track)
            if uuid is None:
                uuid = tracks[mark.track] = 1000 + len(tracks)
                thread = integer(1, _PID) + integer(2, uuid) + text(5, mark.track)
                descriptor = integer(_UUID, uuid) + integer(_PARENT, _ROOT) + message(_THREAD, thread)
                yield _packet(message(_TRACK_DESCRIPTOR, descriptor))
            event = integer(_TRACK_UUID, uuid)
            if isinstance(mark, Finish):
                event += integer(_TYPE, _SLICE_END)
            else:
                kind, category = (_SLICE_BEGIN, mark.category) if isinstance(mark, Begin) else (_INSTANT, "event")
                event += integer(_TYPE, kind) + text(_CATEGORY, category) + text(_EVENT_NAME, mark.name)
                event += _annotations(mark.details)
        yield _packet(integer(_TIMESTAMP, mark.time) + message(_TRACK_EVENT, event))


def _packet(content: bytes) -> bytes:
    return message(_PACKET, content + integer(_SEQUENCE, _SEQUENCE_ID))


def _annotations(details: Mapping[str, str | int]) -> bytes:
    out = b""
    for name, value in details.items():
        out += message(_ANNOTATION, text(10, name) + (integer(4, value) if isinstance(value, int) else text(6, value)))
    return out
