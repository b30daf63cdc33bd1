"""Pages of ftrace's ring buffer, made by hand (include/linux/ring_buffer.h)."""

from __future__ import annotations

import struct

from ktrace.inspect.trace.ring_buffer import Record, decode_page


def event(kind: int, delta: int, *words: int, data: bytes = b"") -> bytes:
    return struct.pack("<I", kind | delta << 5) + b"".join(struct.pack("<I", word) for word in words) + data


def records(page: bytes, offset: int = 0, time: int = 1000) -> list[Record]:
    return list(decode_page(page, offset, time))


def test_small_events_have_their_length_in_the_header() -> None:
    page = event(2, 5, data=b"12345678") + event(1, 7, data=b"abcd")
    assert records(page) == [Record(1005, b"12345678"), Record(1012, b"abcd")]


def test_large_events_have_it_behind_the_header() -> None:
    page = event(0, 1, 4 + 116, data=b"x" * 116) + event(1, 1, data=b"next")
    assert records(page) == [Record(1001, b"x" * 116), Record(1002, b"next")]


def test_time_extends_and_time_stamps() -> None:
    page = event(30, 3, 2) + event(1, 0, data=b"late") + event(31, 9, 1) + event(1, 1, data=b"abso")
    assert records(page) == [Record(1003 + (2 << 27), b"late"), Record(9 + (1 << 27) + 1, b"abso")]


def test_discarded_events_are_passed_over_and_padding_ends_a_page() -> None:
    page = event(29, 4, 8, data=b"gone") + event(1, 1, data=b"kept") + event(29, 0) + b"\xff" * 64
    assert records(page) == [Record(1005, b"kept")]


def test_reading_goes_on_where_it_stopped() -> None:
    first = event(1, 5, data=b"abcd")
    page = first + event(1, 6, data=b"efgh")
    assert records(page, len(first), 1005) == [Record(1011, b"efgh")]
