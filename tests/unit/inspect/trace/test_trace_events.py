"""Events by their format files, as Linux 6.1 prints them."""

from __future__ import annotations

import struct

import pytest

from ktrace.errors import GuestGarbage
from ktrace.inspect.trace.trace_events import parse_format, read_field, read_head

COMMON = """format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;
\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;
\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

"""
WAKEUP = (
    "name: sched_wakeup\nID: 57\n"
    + COMMON
    + """\tfield:char comm[16];\toffset:8;\tsize:16;\tsigned:0;
\tfield:pid_t pid;\toffset:24;\tsize:4;\tsigned:1;
\tfield:int prio;\toffset:28;\tsize:4;\tsigned:1;
\tfield:void * where;\toffset:32;\tsize:8;\tsigned:0;
\tfield:__data_loc char[] name;\toffset:40;\tsize:4;\tsigned:0;
\tfield:u16 pair[2];\toffset:44;\tsize:4;\tsigned:0;

print fmt: "comm=%s pid=%d prio=%s", REC->comm, REC->pid, __print_symbolic(REC->prio, { 0x7, "HIGH" }, {5, "LOW"}), \
__print_flags(REC->pid, "|", { 1, "S" })
"""
)
RECORD = (
    struct.pack("<HBBi", 57, 0x10, 0, 28)
    + b"actor-1\0\xff\xff\xff\xff\xff\xff\xff\xff"
    + struct.pack("<iiQIHH", 29, -5, 0xFFFFFFFF81000000, 48 | 5 << 16, 7, 8)
    + b"pipe\0"
)


def test_a_record_is_read_by_its_format() -> None:
    event = parse_format(WAKEUP)
    assert event.number == 57
    assert {field.name: read_field(field, RECORD) for field in event.fields} == {
        "comm": "actor-1", "pid": 29, "prio": -5, "where": 0xFFFFFFFF81000000, "name": "pipe", "pair": (7, 8),
    }  # fmt: skip
    assert {field.name: dict(field.names) for field in event.fields if field.names} == {"prio": {7: "HIGH", 5: "LOW"}}
    assert read_head(RECORD) == (57, 0x10, 28)


def test_a_record_that_is_too_short() -> None:
    event = parse_format(WAKEUP)
    with pytest.raises(GuestGarbage, match="has no 'pair' in it"):
        read_field(event.fields[-1], RECORD[:44])


def test_what_is_no_format() -> None:
    with pytest.raises(GuestGarbage, match="no event's format"):
        parse_format("nothing")
