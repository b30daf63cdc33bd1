"""Encoding and decoding: what fits comes back, what does not is named garbage."""

from __future__ import annotations

import re
import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktrace.agent import frames, ops, protocol, reports
from ktrace.agent.frames import HEADER_SIZE, FrameType, Refusal, check_payload, decode_header, encode_frame
from ktrace.agent.ops import Bound, Call, Exec, Load, ReadFile, Run, Store, WriteFile
from ktrace.agent.protocol import decode_batch, decode_hello, encode_op
from ktrace.agent.reports import Completed, Event, Exited, FileResult, Job, RunResult, Signalled, Spawned, StepReport
from ktrace.errors import GuestGarbage

WIRE_H = (Path(__file__).parents[3] / "guest" / "wire.h").read_text()

i32 = st.integers(-(2**31), 2**31 - 1)
u32 = st.integers(0, 2**32 - 1)
i64 = st.integers(-(2**63), 2**63 - 1)
u64 = st.integers(0, 2**64 - 1)
slot = st.integers(0, 63)
seconds = st.integers(0, 4_000_000_000)
nanoseconds = st.integers(0, 999_999_999)

events: st.SearchStrategy[Event] = st.one_of(
    st.builds(Spawned, slot, i32),
    st.builds(Completed, slot, i64, st.lists(st.binary(max_size=40), max_size=4).map(tuple)),
    st.builds(Signalled, slot, i32, i32, i32, i32, u32, i32, i64, u64),
    st.builds(Exited, slot, i32),
    st.builds(Job, slot, i32),
    st.builds(FileResult, i64, st.binary(max_size=40), st.booleans()),
    st.builds(RunResult, i64, i32, i32),
)
step_reports = st.builds(
    StepReport,
    st.builds(lambda s, n: s * 10**9 + n, seconds, nanoseconds),
    st.builds(lambda s, n: s * 10**9 + n, seconds, nanoseconds),
    u64,
    u64,
    u64,
    u32,
    st.booleans(),
    st.lists(events, max_size=5).map(tuple),
)


def pack_event(event: Event) -> bytes:
    """Write an event as ``guest/agent_report.c`` does, from the page in docs/protocol.md."""
    match event:
        case Spawned(slot, number):
            kind, count, body = 1, 0, struct.pack("<i", number)
        case Completed(slot, ret, loads):
            kind, count = 2, len(loads)
            body = struct.pack("<q", ret) + b"".join(struct.pack("<I", len(load)) + load for load in loads)
        case Signalled(slot, signo, code, error, pid, uid, fd, band, value):
            kind, count, body = 3, 0, struct.pack("<iiiiIiqQ", signo, code, error, pid, uid, fd, band, value)
        case Exited(slot, number):
            kind, count, body = 4, 0, struct.pack("<i", number)
        case Job(slot, number):
            kind, count, body = 7, 0, struct.pack("<i", number)
        case FileResult(ret, data, at_end):
            kind, slot, count, body = 5, 255, int(at_end), struct.pack("<q", ret) + data
        case RunResult(ret, status, state):
            kind, slot, count, body = 6, 255, 0, struct.pack("<qii", ret, status, state)
    return struct.pack("<BBHI", kind, slot, count, len(body)) + body


def pack_reply(answers: list[StepReport], refusal: Refusal, detail: int) -> bytes:
    parts = [struct.pack("<IHHi", len(answers), refusal, 0, detail)]
    for report in answers:
        before, after = divmod(report.before, 10**9), divmod(report.after, 10**9)
        sets = (report.live, report.blocked, report.unsettled)
        parts.append(struct.pack("<qqIIQQQ", before[0], after[0], before[1], after[1], *sets))
        parts.append(struct.pack("<IHH", report.lost, report.more, len(report.events)))
        parts += map(pack_event, report.events)
    return b"".join(parts)


@given(st.lists(step_reports, max_size=4), st.sampled_from(Refusal), i32)
def test_reports_come_back(answers: list[StepReport], refusal: Refusal, detail: int) -> None:
    assert decode_batch(pack_reply(answers, refusal, detail)) == (tuple(answers), refusal, detail)


@given(st.lists(step_reports, min_size=1, max_size=3), st.data())
def test_cut_or_lengthened_reply_is_garbage(answers: list[StepReport], data: st.DataObject) -> None:
    payload = pack_reply(answers, Refusal.NONE, 0)
    cut = data.draw(st.integers(0, len(payload) - 1))
    with pytest.raises(GuestGarbage):
        decode_batch(payload[:cut])
    with pytest.raises(GuestGarbage):
        decode_batch(payload + b"\0")


@given(st.binary(max_size=300))
def test_noise_is_garbage_or_a_value(noise: bytes) -> None:
    for decode in (decode_batch, decode_hello, frames.decode_error):
        with suppress(GuestGarbage):
            decode(noise)


@given(st.lists(step_reports, min_size=1, max_size=2), st.data())
def test_one_changed_byte_never_escapes_as_another_error(answers: list[StepReport], data: st.DataObject) -> None:
    payload = bytearray(pack_reply(answers, Refusal.NONE, 0))
    payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    with suppress(GuestGarbage):
        decode_batch(bytes(payload))


@given(st.sampled_from([FrameType.HELLO, FrameType.BATCH]), u32, st.binary(max_size=200))
def test_frames_come_back(kind: FrameType, sequence: int, payload: bytes) -> None:
    frame = encode_frame(kind, sequence, payload)
    header = decode_header(frame)
    assert (header.type, header.sequence, header.length) == (kind, sequence, len(payload))
    check_payload(header, frame[HEADER_SIZE:])


@given(st.binary(max_size=50), st.data())
def test_a_flipped_bit_of_a_frame_is_noticed(payload: bytes, data: st.DataObject) -> None:
    frame = bytearray(encode_frame(FrameType.BATCH, 7, payload))
    bit = data.draw(st.integers(0, len(frame) * 8 - 1))
    frame[bit // 8] ^= 1 << bit % 8
    with pytest.raises(GuestGarbage):
        check_payload(decode_header(bytes(frame)), bytes(frame[HEADER_SIZE:]))


@given(
    u32,
    st.lists(st.integers(-(2**63), 2**64 - 1), max_size=6),
    st.lists(st.builds(Store, u64, st.binary(max_size=30)), max_size=3),
    st.lists(st.builds(Load, u64, u32, st.sampled_from(Bound), st.integers(0, 65535), u32), max_size=3),
)
def test_calls_are_laid_out_as_documented(nr: int, args: list[int], stores: list[Store], loads: list[Load]) -> None:
    data = encode_op(Call(5, nr, tuple(args), tuple(stores), tuple(loads)))
    assert struct.unpack_from("<BBHI", data) == (3, 5, 0, len(data) - 8)
    head = struct.unpack_from("<IHH6Q", data, 8)
    assert head[:3] == (nr, len(stores), len(loads))
    assert list(head[3:]) == [value % 2**64 for value in args] + [0] * (6 - len(args))
    at = 64
    for store in stores:
        assert struct.unpack_from("<QI", data, at) == (store.addr, len(store.data))
        assert data[at + 12 : at + 12 + len(store.data)] == store.data
        at += 12 + len(store.data)
    for load in loads:
        fields = (load.addr, load.length, load.bound, 0, load.scale, load.extra)
        assert struct.unpack_from("<QIBBHI", data, at) == fields
        at += 20
    assert at == len(data)


@pytest.mark.parametrize(
    "op",
    [
        ReadFile(""),
        ReadFile("a\0b"),
        ReadFile("x" * 4096),
        WriteFile("", b""),
        Exec(0, "/bin/a\0b"),
        Run(("a\0",)),
    ],
)
def test_strings_that_cannot_be_sent(op: ops.Op) -> None:
    with pytest.raises(ValueError, match=r"NUL|not a path"):
        encode_op(op)


def test_payload_beyond_the_limit_is_refused_here() -> None:
    with pytest.raises(frames.Refused):
        encode_frame(FrameType.BATCH, 1, bytes(frames.MAX_PAYLOAD + 1))


def _enum(prefix: str) -> dict[str, int]:
    return {name: int(value, 0) for name, value in re.findall(rf"\b{prefix}(\w+) = (\w+),", WIRE_H)}


def test_numbers_are_those_of_the_agent() -> None:
    assert _enum("ERR_") == {refusal.name: refusal for refusal in Refusal}
    assert _enum("FRAME_") == {kind.name: kind for kind in FrameType}
    bounds = re.search(r"enum load_bound \{(.*?)\}", WIRE_H)
    assert bounds is not None
    assert re.findall(r"LOAD_(\w+) = (\d)", bounds[1]) == [(bound.name, str(bound.value)) for bound in Bound]
    dispositions = re.search(r"enum disposition \{(.*?)\}", WIRE_H)
    assert dispositions is not None
    assert [(n, int(v)) for n, v in re.findall(r"DISP_(\w+) = (\d)", dispositions[1])] == [
        (disposition.name, disposition.value) for disposition in ops.Disposition
    ]
    assert protocol.NO_SLOT == 0xFF and "#define NO_SLOT 0xff" in WIRE_H
    assert reports.SLOTS == 64
    assert sorted(int(number) for number in re.findall(r"\bOP_\w+ = (\d+),", WIRE_H)) == list(range(1, 19))
