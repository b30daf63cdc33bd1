"""What other tools make of a session: each format is read by somebody else's reader."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chrometrace import TraceEvent
from junitparser import JUnitXml
from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TrackDescriptor, TrackEvent

from ktrace.errors import UsageError
from ktrace.report.export import FORMATS, export
from ktrace.report.export.protobuf import varint
from ktrace.trace.session import FILE_NAME
from tests.unit.report.recorded import (
    HOSTILE,
    every_picture,
    hostile_session,
    lines_of,
    put_lines,
    small_session,
    told_session,
)

CALL = {
    "functions": 1,
    "since": 10_000_000,
    "lost": 0,
    "names": ["__x64_sys_write", "pipe_write", "schedule"],
    "spans": {"B": [[0, 0, 0, 9000], [1, 1, 500, 8000], [1, 2, 8600, 100]]},
}
ASLEEP = CALL | {"spans": {"B": [[0, 0, 0], [1, 1, 500], [2, 2, 700]]}}
WOKEN = CALL | {
    "spans": {"A": [[0, 0, 9_000_000, 4000]], "B": [[2, 2, 700, 9_001_000, True], [1, 1, 500, 9_003_000, True]]}
}


def traced(directory: Path) -> Path:
    """Write a small session of which three steps were traced: one call, one that sleeps, one that wakes."""
    session = small_session(directory)
    lines = lines_of(session)
    for number, event in ((6, WOKEN), (5, ASLEEP), (1, CALL)):
        lines.insert(number, json.dumps(event))
    put_lines(session, lines)
    return session


def exported(session: Path, form: str) -> bytes:
    """Return a session in a format."""
    return b"".join(export(session, form))


def packets(session: Path) -> list[Any]:
    """Return the packets that Perfetto's own parser finds."""
    trace = Trace()
    trace.ParseFromString(exported(session, "perfetto"))
    return list(trace.packet)


def test_perfetto_has_a_track_for_each_actor_and_number(tmp_path: Path) -> None:
    found = packets(small_session(tmp_path))
    tracks = [packet.track_descriptor for packet in found if packet.HasField("track_descriptor")]
    assert tracks[0].process.process_name == "a small session"
    assert {track.thread.thread_name for track in tracks if track.HasField("thread")} == {"A", "B"}
    curves = {track.name: track.counter.unit_name for track in tracks if track.HasField("counter")}
    assert curves == {"pipe1 slots": "slots", "pipe1 bytes": "bytes"}
    assert all(isinstance(track, TrackDescriptor) and track.parent_uuid == 1 for track in tracks[1:])
    slots = next(track.uuid for track in tracks if track.name == "pipe1 slots")
    counts = [packet.track_event.counter_value for packet in found if packet.track_event.track_uuid == slots]
    assert counts == [1, 2, 3, 4, 0, 1, 2, 3, 4, 0]


def test_perfetto_nests_functions_in_calls(tmp_path: Path) -> None:
    found = packets(traced(tmp_path))
    times = [packet.timestamp for packet in found if packet.HasField("track_event")]
    assert times == sorted(times)
    assert slices(found)[:3] == [
        ("B", "write", 1000, 10000, 0),
        ("B", "__x64_sys_write", 1000, 10000, 1),
        ("B", "pipe_write", 1500, 9500, 2),
    ]
    write = next(packet.track_event for packet in found if packet.track_event.name == "write")
    details = {item.name: item.string_value or item.int_value for item in write.debug_annotations}
    assert details == {"step": 1, "call": 'write(4, "step 1")', "answer": "6"}


def test_a_call_that_sleeps_is_one_slice(tmp_path: Path) -> None:
    found = slices(packets(traced(tmp_path)))
    # Step 5 sleeps, step 6 does not wake it in this session; B's next call ends it.
    asleep = [item for item in found if item[:2] == ("B", "write")][4]
    after = [item for item in found if item[:2] == ("B", "write")][5]
    assert asleep[3] == after[2]
    inside = [item for item in found if item[0] == "B" and asleep[2] <= item[2] < asleep[3] and item[4] > 0]
    assert [item[1] for item in inside] == ["__x64_sys_write", "pipe_write", "schedule", "schedule", "pipe_write"]


def slices(found: list[Any]) -> list[tuple[str, str, int, int, int]]:
    """Return track, name, begin, end and depth of every slice, as whoever draws them puts them together."""
    names = {packet.track_descriptor.uuid: packet.track_descriptor.thread.thread_name for packet in found}
    open_: dict[int, list[int]] = {}
    done: list[tuple[str, str, int, int, int]] = []
    for packet in found:
        event = packet.track_event
        stack = open_.setdefault(event.track_uuid, [])
        if event.type == TrackEvent.TYPE_SLICE_BEGIN:
            stack.append(len(done))
            done.append((names[event.track_uuid], event.name, packet.timestamp, -1, len(stack) - 1))
        elif event.type == TrackEvent.TYPE_SLICE_END:
            index = stack.pop()
            done[index] = (*done[index][:3], packet.timestamp, done[index][4])
    assert all(item[3] >= item[2] for item in done), "a slice never ends"
    return done


def test_stops_and_the_console_are_instants(tmp_path: Path) -> None:
    found = packets(told_session(tmp_path))
    names = {packet.track_descriptor.uuid: packet.track_descriptor.thread.thread_name for packet in found}
    instants = [packet for packet in found if packet.track_event.type == TrackEvent.TYPE_INSTANT]
    assert [(names[packet.track_event.track_uuid], packet.track_event.name) for packet in instants] == [
        ("B", "in pipe_write"), ("B", "in pipe_write"), ("console", "[   1.0] watch out"),
        ("swapper/0", "sched:sched_wakeup"), ("B", "pipe_write%return"),
    ]  # fmt: skip
    assert instants[4].timestamp - instants[3].timestamp == 700
    details = {item.name: item.string_value for item in instants[0].track_event.debug_annotations}
    assert details == {"iocb": "0xffff", "task->comm": '"B1"'}


def test_counters_of_every_kind(tmp_path: Path) -> None:
    found = packets(every_picture(tmp_path))
    names = {packet.track_descriptor.uuid: packet.track_descriptor.name for packet in found}
    events = [packet.track_event for packet in found if packet.track_event.type == TrackEvent.TYPE_COUNTER]
    assert {names[event.track_uuid]: event.counter_value for event in events} == {
        "msg 5 bytes": 5005, "msg 5 messages": 2, "shm 7 attached": 2, "sock1 receive queue": 0,
        "sock2 receive queue": 10, "sem 3 [0]": 5, "sem 3 [1]": 0, "sem 3 waiting": 2, "pipe1 slots": 1,
        "pipe1 bytes": 1,
    }  # fmt: skip
    assert [packet.track_event.name for packet in found if packet.track_event.type == TrackEvent.TYPE_INSTANT] == [
        "diverged"
    ]


@pytest.mark.parametrize(("value", "wire"), [(0, b"\0"), (300, b"\xac\x02"), (-1, b"\xff" * 9 + b"\x01")])
def test_varints(value: int, wire: bytes) -> None:
    assert varint(value) == wire


def test_chrome(tmp_path: Path) -> None:
    events = json.loads(exported(traced(tmp_path), "chrome"))["traceEvents"]
    for event in events:
        assert TraceEvent.from_dict(event).to_dict()["ph"] == event["ph"]
    open_: dict[int, list[tuple[str, float]]] = {}
    for event in events:
        stack = open_.setdefault(event["tid"], [])
        if event["ph"] == "B":
            stack.append((event["name"], event["ts"]))
        elif event["ph"] == "E":
            assert stack.pop()[1] <= event["ts"]
    assert not any(open_.values())
    assert [event["args"]["name"] for event in events if event.get("name") == "thread_name"] == ["B", "A"]


# Documentation/trace/ftrace.rst, "Output format".
FTRACE_LINE = re.compile(
    r"\s*(\S{1,16})-(\d+)\s+\[(\d{3})\] [.dXnNHhSs0-9]{5}\s+(\d+)\.(\d{6}): tracing_mark_write: (.*)"
)


def test_ftrace(tmp_path: Path) -> None:
    lines = exported(traced(tmp_path), "ftrace").decode().splitlines()
    body = [line for line in lines if not line.startswith("#")]
    depth: dict[str, int] = {}
    last = -1
    for line in body:
        match = FTRACE_LINE.fullmatch(line)
        assert match is not None, line
        time = int(match[4]) * 1_000_000 + int(match[5])
        assert time >= last
        last = time
        kind = match[6].split("|")[0]
        depth[match[2]] = depth.get(match[2], 0) + {"B": 1, "E": -1}.get(kind, 0)
        assert depth[match[2]] >= 0
        assert len(match[6].split("|")) == {"B": 3, "E": 2, "C": 4, "I": 3}[kind]
    assert not any(depth.values())


def ktap_results(text: str) -> Iterator[tuple[int, bool, int, str]]:
    """Read KTAP by the rules of Documentation/dev-tools/ktap.rst; yield depth, verdict, number, name of each result."""
    lines = text.splitlines()
    plans: dict[int, int] = {}
    counts: dict[int, int] = {}
    for place, line in enumerate(lines):
        depth = len(line) - len(line.lstrip(" "))
        rest = line.strip()
        if rest == "KTAP version 1":
            following = next(item.strip() for item in lines[place + 1 :] if not item.strip().startswith("#"))
            assert re.fullmatch(r"1\.\.\d+", following), "a version line is followed by a plan"
            plans[depth], counts[depth] = int(following[3:]), 0
        elif not re.fullmatch(r"1\.\.\d+", rest) and not rest.startswith("#"):
            match = re.fullmatch(r"(ok|not ok) (\d+)(?: - ([^#]*))?(?: # .*)?", rest)
            assert match is not None, line
            counts[depth] += 1
            assert int(match[2]) == counts[depth]
            yield depth, match[1] == "ok", int(match[2]), match[3]
    assert counts == plans


def test_ktap(tmp_path: Path) -> None:
    text = exported(every_picture(tmp_path), "ktap").decode()
    assert text == (
        "KTAP version 1\n1..1\n  KTAP version 1\n  # Subtest: every picture\n  1..1\n"
        "    # pipe1.head: observed 1, allowed 2\n    # a complaint\n    # model rule mirrors fs/pipe.c: pipe_write()\n"
        "  not ok 1 - A getpid() = 2\nnot ok 1 - every picture\n"
    )
    assert [ok for _, ok, _, _ in ktap_results(text)] == [False, False]


def test_junit(tmp_path: Path) -> None:
    suites = list(JUnitXml.fromstring(exported(every_picture(tmp_path), "junit")))
    assert [(suite.name, suite.tests, suite.failures, suite.errors) for suite in suites] == [("every picture", 1, 1, 0)]
    case = next(iter(suites[0]))
    assert case.name == "1 A getpid() = 2"
    assert case.result[0].message == "pipe1.head: observed 1, allowed 2"


def test_csv(tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(exported(small_session(tmp_path), "csv").decode(), newline="")))
    assert rows[0]["call"] == 'write(4, "step 1")'
    head = [(row["step"], row["before"], row["after"]) for row in rows if row["field"] == "head"]
    assert head[:4] == [("1", "0", "1"), ("2", "1", "2"), ("3", "2", "3"), ("4", "3", "4")]
    assert {row["step"] for row in rows} == {str(number) for number in range(1, 13)}
    diverged = list(csv.DictReader(io.StringIO(exported(every_picture(tmp_path / "b"), "csv").decode(), newline="")))
    assert diverged[-2]["answer"] == "diverged"


def test_hostile_strings_keep_every_format_whole(tmp_path: Path) -> None:
    session = hostile_session(tmp_path)
    whole = HOSTILE.replace("\0", "\ufffd")
    assert any(packet.track_event.name == f"caught {whole}" for packet in packets(session))
    assert json.loads(exported(session, "chrome"))["traceEvents"][0]["args"]["name"] == whole
    assert all(FTRACE_LINE.fullmatch(line) for line in exported(session, "ftrace").decode().splitlines()[10:])
    assert [ok for _, ok, _, _ in ktap_results(exported(session, "ktap").decode())] == [False, False]
    suite = next(iter(JUnitXml.fromstring(exported(session, "junit"))))
    assert suite.name == whole
    rows = list(csv.reader(io.StringIO(exported(session, "csv").decode(), newline="")))
    assert rows[1][2] == HOSTILE
    assert {len(row) for row in rows} == {8}


@pytest.mark.parametrize("form", FORMATS)
def test_a_session_that_was_cut_off(form: str, tmp_path: Path) -> None:
    session = small_session(tmp_path)
    file = session / FILE_NAME
    file.write_text(file.read_text()[:-400])
    data = exported(session, form)
    if form == "ktap":
        results = list(ktap_results(data.decode()))
        assert results[-1][1] is False
        assert "# the session was cut off" in data.decode()
    elif form == "junit":
        assert next(iter(JUnitXml.fromstring(data))).errors == 1


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_no_event_is_refused(form: str, tmp_path: Path) -> None:
    session = small_session(tmp_path)
    put_lines(session, [*lines_of(session), '{"step": 13}'])
    with pytest.raises(UsageError, match="not an event of a session: it lacks '"):
        exported(session, form)
