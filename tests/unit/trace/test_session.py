"""A session reads back as it was written, whole or cut off anywhere."""

from __future__ import annotations

import gzip
import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktrace.errors import HostError, UsageError
from ktrace.state.call import Call, Completed, Outcome, Result
from ktrace.state.codec import decode, encode
from ktrace.state.compare import Difference
from ktrace.state.fs.file import Descriptor, DescriptorTable
from ktrace.state.process.process import Process
from ktrace.state.ref import Ref
from ktrace.state.rule import Choice, Rule
from ktrace.state.step import Step
from ktrace.state.trace.probe import Hit
from ktrace.state.trace.tracepoint import EventTrace, TraceEvent
from ktrace.state.world import World
from ktrace.trace.session import FILE_NAME, Choices, End, Header, Verdict, expected_steps
from ktrace.trace.session_reader import SessionReader
from ktrace.trace.session_writer import SessionWriter

A = Ref("process", "A")
TABLE = Ref("fdtable", "fdtable1")
EMPTY = World({A: Process("A", 7, TABLE, 0, 0, 0, 0), TABLE: DescriptorTable(1, {})})
OPEN = World({**EMPTY.objects, TABLE: DescriptorTable(1, {0: Descriptor(Ref("file", "file1"), True)})})
HEADER = Header("a title", {"ipc": {"semmsl": 250}}, {"image": "lab"}, EMPTY, (1_700_000_000, 12), {TABLE: 0xFF0})
EVENTS = EventTrace((TraceEvent("pipe_write", "A", 12, {"iocb->ki_flags": "0"}),), 2)
STEPS = [
    Step(
        number=1,
        actor="A",
        call=Call("pipe2", (0,)),
        text="pipe2([0, 1], 0)",
        answer="0",
        outcome=Outcome((Completed("A", Result(0, None, {"pipefd": (0, 1)})),)),
        clock=(5, 5),
        world=OPEN,
        line=3,
        comment="why",
        console=("WARNING: something", "---"),
        host=(10, 11),
        guest=(5, 6),
        addresses={Ref("file", "file1"): 0xFFFF888000000000},
        events=EVENTS,
    ),
    Step(
        number=2,
        actor="A",
        call=Call("read", (0, 4)),
        text="read(0, 4)",
        answer="?",
        outcome=Outcome((), frozenset({"A"})),
        clock=(5, 6),
        world=OPEN,
        sleeps={"A": ("pipe_read",)},
    ),
    Step(
        number=3,
        actor=None,
        call=Call("kill", ("A", 9)),
        text="kill(A, SIGKILL)",
        answer="",
        outcome=Outcome(()),
        clock=(6, 6),
        world=World({}),
    ),
]
VERDICT = Verdict(3, (Difference("process A", "absent", "there"),), ("kernel/exit.c: do_exit()",), ("line 3",))
END = End("diverged", 3, 7, 20, "why")


RULE = Rule("net/unix/af_unix.c", "unix_autobind", "any free name")
CHOICES = Choices(
    3, (Choice(RULE, "b'\\x0000001'", True), Choice(RULE, "7", False), Choice(RULE, "8", True, "sock1.unix.addr"))
)


def record(directory: Path) -> Path:
    """Write the session above."""
    with SessionWriter(directory) as writer:
        writer.header(HEADER)
        for step in STEPS:
            writer.step(step)
        writer.verdict(VERDICT)
        writer.end(END)
    return directory / FILE_NAME


def test_choices_are_kept_with_their_step(tmp_path: Path) -> None:
    with SessionWriter(tmp_path) as writer:
        writer.header(HEADER)
        writer.step(STEPS[0])
        writer.choices(CHOICES)
        long = Choices(3, (Choice(RULE, b"x" * 1000, True),))
        writer.choices(long)
        writer.end(replace(END, held=3))
    _, choices, cut, end = SessionReader(tmp_path).events()
    assert isinstance(choices, Choices)
    assert set(choices.choices) == set(CHOICES.choices)
    assert isinstance(cut, Choices)
    assert len(cut.choices[0].taken) < 100
    assert isinstance(end, End)
    assert end.totals == "3 steps, 7 objects, 20 fields compared, 3 of them with a rule's leave"
    assert END.totals == "3 steps, 7 objects, 20 fields compared"


def test_what_was_written_is_read(tmp_path: Path) -> None:
    reader = SessionReader(record(tmp_path).parent)
    assert reader.header == HEADER
    assert list(reader.events()) == [*STEPS, VERDICT, END]
    assert not reader.truncated


def test_what_stands_in_front_of_a_step_is_read_with_it(tmp_path: Path) -> None:
    hit = Hit("pipe_read", "A", {"to": "1"}, {"x": "y"}, ("vfs_read",))
    step = replace(STEPS[0], probes=(hit,), console=("one", "two"), host=(10, 20))
    with SessionWriter(tmp_path) as writer:
        writer.header(HEADER)
        writer.step(step)
        writer.step(STEPS[1])
    assert list(SessionReader(tmp_path).events()) == [step, STEPS[1]]


def test_a_step_writes_only_what_changed(tmp_path: Path) -> None:
    lines = [json.loads(line) for line in record(tmp_path).read_text().splitlines()]
    lines = [line for line in lines if "step" in line or "ktrace_session" in line]
    assert len(lines[1]["changed"]["$map"]) == 1
    assert not lines[2]["changed"]
    assert len(lines[3]["gone"]) == 2


def test_a_session_cut_off_anywhere_still_opens(tmp_path: Path) -> None:
    data = record(tmp_path).read_bytes()
    first = data.index(b"\n") + 1
    for length in range(first, len(data), 37):
        cut = tmp_path / "cut.jsonl"
        cut.write_bytes(data[:length])
        reader = SessionReader(cut)
        events = list(reader.events())
        assert events == [*STEPS, VERDICT, END][: len(events)]
        whole = data[:length].split(b"\n")[1:-1]
        assert len(events) == sum(not line.startswith((b'{"events"', b'{"console"')) for line in whole)
        assert reader.truncated == (END not in events)


def test_a_compressed_session_is_read_up_to_where_it_was_torn(tmp_path: Path) -> None:
    data = gzip.compress(record(tmp_path).read_bytes(), 0)
    cut = tmp_path / "cut.jsonl.gz"
    counts = []
    for length in range(len(data) // 2, len(data) + 1, 11):
        cut.write_bytes(data[:length])
        reader = SessionReader(cut)
        events = list(reader.events())
        assert events == [*STEPS, VERDICT, END][: len(events)]
        assert reader.truncated == (END not in events)
        counts.append(len(events))
    assert counts == sorted(counts)
    assert len(set(counts)) > 2


def test_what_stands_behind_a_compressed_session_is_not_of_it(tmp_path: Path) -> None:
    file = tmp_path / "session.jsonl.gz"
    file.write_bytes(gzip.compress(record(tmp_path).read_bytes()) + b"junk")
    assert list(SessionReader(file).events()) == list(SessionReader(tmp_path).events())


def without_numbers(path: Path) -> Path:
    """Make a session one of before, whose lines had no numbers."""
    events = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text(
        "".join(
            json.dumps({k: v for k, v in event.items() if k != "record"}, separators=(",", ":")) + "\n"
            for event in events
        )
    )
    return path


def test_steps_that_are_missing_or_exchanged_are_noticed(tmp_path: Path) -> None:
    path = without_numbers(record(tmp_path))
    lines = path.read_text().splitlines(keepends=True)
    steps = [number for number, line in enumerate(lines) if line.startswith('{"step"')]
    path.write_text("".join(line for number, line in enumerate(lines) if number not in steps))
    reader = SessionReader(path)
    list(reader.events())
    assert reader.truncated
    lines[steps[0]], lines[steps[1]] = lines[steps[1]], lines[steps[0]]
    path.write_text("".join(lines))
    with pytest.raises(UsageError, match="step 2 where step 1 belongs"):
        list(SessionReader(path).events())


def test_a_line_that_is_nested_too_deeply_is_named(tmp_path: Path) -> None:
    path = record(tmp_path)
    first = path.read_text().splitlines(keepends=True)[0]
    for depth in (2000, 200_000):
        path.write_text(first + '{"step": 1, "changed": ' + "[" * depth + "]" * depth + "}\n")
        with pytest.raises(UsageError, match="line 2: it is nested too deeply"):
            list(SessionReader(path).events())


def test_files_are_private(tmp_path: Path) -> None:
    assert record(tmp_path).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a ktrace session"),
        ("{}\n", "is not a ktrace session"),
        ("[]\n", "is not a ktrace session"),
        ("garbage\n", "is not a ktrace session"),
        ("[" * 200_000 + "\n", "is not a ktrace session"),
        ('{"ktrace_session": 1, "title": 3}\n', "line 1: not an event of a session: it lacks 'initial'"),
        ('{"ktrace_session": 99}\n', "session format 99"),
        ('{"ktrace_session": 1, "title": "", "manifest": {}, "facts": -1, "initial": {}}\n', "its facts are no object"),
        (
            '{"ktrace_session": 1, "title": "", "manifest": {}, "facts": {}, "initial": null}\n',
            "its first World is none",
        ),
        ('{"ktrace_session": 1, "title": "", "manifest": {}, "facts": {}, "initial": {"a": 1}}\n', "World is none"),
    ],
)
def test_what_is_no_session_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / FILE_NAME
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        SessionReader(path)


def test_a_device_without_end_is_no_session() -> None:
    with pytest.raises(UsageError, match="is not a ktrace session"):
        SessionReader(Path("/dev/zero"))


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = record(tmp_path)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([lines[0], lines[1], '{"step": 2}\n']))
    with pytest.raises(UsageError, match="line 3"):
        list(SessionReader(path).events())


def test_no_session_is_overwritten(tmp_path: Path) -> None:
    record(tmp_path)
    with pytest.raises(HostError, match="cannot write"):
        SessionWriter(tmp_path)


def test_a_full_disk_is_the_hosts_fault(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="No space left"), SessionWriter(tmp_path) as writer:
        os.dup2(os.open("/dev/full", os.O_WRONLY), writer._file.fileno())
        writer.header(HEADER)


SCALARS = st.none() | st.booleans() | st.integers(-(1 << 63), 1 << 64) | st.text() | st.binary(max_size=100)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.integers() | st.text("abc").map(lambda key: "k" + key), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(VALUES)
def test_values_survive_json(value: object) -> None:
    assert decode(json.loads(json.dumps(encode(value)))) == value


@given(st.integers(0, 255), st.integers(0, 5000))
def test_a_run_of_one_byte_is_written_short(byte: int, length: int) -> None:
    data = bytes([byte]) * length
    text = json.dumps(encode(data))
    assert decode(json.loads(text)) == data
    assert length < 64 or len(text) < 64


def test_how_many_steps_are_expected(tmp_path: Path) -> None:
    """Of what is no session, or none that is whole, nobody knows; a FIFO is not opened for that."""
    path = tmp_path / FILE_NAME
    for text in ("", "\n", "[]\n", "[" * 50_000 + "\n", "7\n", '{"steps": "many"}\n', '{"step": 3}\n', "nonsense\n"):
        path.write_text(text)
        assert expected_steps(path) is None
    path.write_text('{"step": 1}\n{"end": "agreed", "steps": 33}\n')
    assert expected_steps(path) == expected_steps(tmp_path) == 33
    os.mkfifo(tmp_path / "fifo")
    for none in (Path("/dev/null"), tmp_path / "fifo", tmp_path / "nowhere", tmp_path / "x.gz"):
        assert expected_steps(none) is None


@pytest.mark.parametrize("packed", [False, True])
def test_a_line_that_was_lost_doubled_or_moved_is_noticed(tmp_path: Path, packed: bool) -> None:
    lines = record(tmp_path).read_bytes().splitlines(keepends=True)
    file = tmp_path / ("changed.jsonl.gz" if packed else "changed.jsonl")

    def end(changed: list[bytes]) -> str:
        text = b"".join(changed)
        file.write_bytes(gzip.compress(text, 0) if packed else text)
        try:
            reader = SessionReader(file)
            list(reader.events())
        except UsageError as error:
            return error.message
        return "cut off" if reader.truncated else "whole"

    assert end(lines) == "whole"
    last = len(lines) - 1
    for number in range(last):
        for some in (1, 2):
            kept = lines[:number] + lines[number + some :]
            assert (end(kept) == "cut off") == (number + some > last), (number, some)
            assert end(kept) != "whole", (number, some)
        assert end([*lines[: number + 1], *lines[number:]]) not in ("whole", "cut off")
    for number in range(last):
        for other in range(number + 1, last + 1):
            moved = lines.copy()
            moved[number], moved[other] = moved[other], moved[number]
            assert end(moved) not in ("whole", "cut off"), (number, other)
    assert end([*lines, lines[-1]]) not in ("whole", "cut off")
    assert end([lines[0], b'{"other":1}\n', *lines[1:]]) not in ("whole", "cut off")
    assert end(lines[:-1]) == "cut off"
    number = next(n for n, line in enumerate(lines) if b'"record":3}' in line)
    assert end(lines[:number] + lines[number + 1 :]).endswith(f"line {number + 1}: record 4 where record 3 belongs")


def test_ctrl_c_at_any_instruction_loses_no_line_and_no_number(tmp_path: Path) -> None:
    written, instructions = set(), 0
    while True:
        directory = tmp_path / str(instructions)
        directory.mkdir()
        left = instructions

        def interrupt(frame: FrameType, event: str, _: object) -> Callable[..., Any] | None:
            nonlocal left
            if frame.f_code is not SessionWriter._write.__code__:
                return None
            frame.f_trace_opcodes = True
            if event == "opcode":
                left -= 1
                if left < 0:
                    raise KeyboardInterrupt
            return interrupt

        with SessionWriter(directory) as writer:
            writer.header(HEADER)
            sys.settrace(interrupt)
            try:
                writer.step(STEPS[0])
                break
            except KeyboardInterrupt:
                pass
            finally:
                sys.settrace(None)
            writer.verdict(VERDICT)
            writer.end(END)
        events = list(SessionReader(directory).events())
        assert events[-2:] == [VERDICT, END]
        assert events[:-2] in ([], [STEPS[0]])
        written.add(len(events))
        instructions += 1
    assert written == {2, 3}
    assert instructions > 30


def test_a_session_of_before_whose_lines_have_no_numbers_opens(tmp_path: Path) -> None:
    reader = SessionReader(without_numbers(record(tmp_path)))
    assert list(reader.events()) == [*STEPS, VERDICT, END]
    assert not reader.truncated
