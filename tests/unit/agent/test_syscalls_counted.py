"""Buffers that a call counts beyond what was given, and structs of socket options written by position."""

from __future__ import annotations

from typing import Any

import pytest

from ktrace.agent.syscalls import CONSTANTS, encode, make_call
from ktrace.errors import UsageError
from ktrace.state.call import COUNTED, Call

C = CONSTANTS
ARENA, SIZE = 0x10000, 0x80000


def stored(call: Call) -> bytes:
    """Return what is stored in the arena for a call, in the order of addresses."""
    return b"".join([data for _, data in sorted(encode(call, ARENA, SIZE, {}).stores)])


@pytest.mark.parametrize(
    ("call", "data"),
    [
        (make_call("write", 1, b"abc", 3), b"abc"),
        (make_call("write", 1, b"abc", 10), b"abc" + bytes(7)),
        (make_call("write", 1, b"abc", 2), b"abc"),
        (make_call("pwrite64", fd=1, buf=b"a", count=4, offset=0), b"a" + bytes(3)),
        (make_call("sendto", 1, b"a", len=3), b"a" + bytes(2)),
        (make_call("bind", 1, {"sa_family": 1, "sun_path": b"\0ab"}, 10), b"\1\0\0ab" + bytes(5)),
        (make_call("setsockopt", 1, C["SOL_SOCKET"], C["SO_PRIORITY"], 3, 8), b"\3" + bytes(7)),
        (make_call("setgroups", list=[5], size=3), b"\5" + bytes(11)),
        # What the kernel refuses before it reads it is left as it is.
        (make_call("bind", 1, {"sa_family": 1, "sun_path": b"\0ab"}, 1 << 20), b"\1\0\0ab"),
        (make_call("write", 1, b"abc", -1), b"abc"),
    ],
)
def test_zeros_lie_behind_what_was_given(call: Call, data: bytes) -> None:
    assert stored(call) == data


def test_items_that_are_missing_are_zeros() -> None:
    """Of poll(), of vectors and of messages."""
    poll = make_call("poll", [{"fd": 1, "events": 4}], nfds=3, timeout=0)
    assert stored(poll) == b"\1\0\0\0\4\0\0\0" + bytes(16)
    vector = encode(make_call("writev", 1, [b"ab"], 3), ARENA, SIZE, {})
    assert b"".join(data for _, data in vector.stores).endswith(bytes(32))
    several = encode(make_call("sendmmsg", 1, [{"msg_iov": [b"ab"]}], vlen=3), ARENA, SIZE, {})
    assert len(several.stores[-1][1]) >= 3 * 64


def test_more_than_an_arena_holds_is_refused() -> None:
    with pytest.raises(UsageError, match=f"no more than {COUNTED} are given"):
        encode(make_call("write", 1, b"abc", COUNTED + 1), ARENA, SIZE, {})


@pytest.mark.parametrize(
    ("level", "option", "members", "value"),
    [
        ("SOL_SOCKET", "SO_RCVTIMEO", (0, 40000), {"tv_sec": 0, "tv_usec": 40000}),
        ("SOL_SOCKET", "SO_LINGER", (1, 5), {"l_onoff": 1, "l_linger": 5}),
        ("SOL_SOCKET", "SO_PRIORITY", (1, 2), b"\1\0\0\0\2\0\0\0"),
        ("SOL_IP", "IP_ADD_MEMBERSHIP", (b"224.1.1.1", b"127.0.0.1"), b"\xe0\1\1\1\x7f\0\0\1"),
        ("SOL_IP", "IP_ADD_MEMBERSHIP", (b"\xe0\1\1\1", 0x7F000001), b"\xe0\1\1\1\x7f\0\0\1"),
        ("SOL_IPV6", "IPV6_JOIN_GROUP", (b"\xff\2" + bytes(13) + b"\1", 1), b"\xff\2" + bytes(13) + b"\1\1\0\0\0"),
        ("SOL_IP", "IP_MULTICAST_IF", ("0.0.0.0", "127.0.0.1", 1), b"\0\0\0\0\x7f\0\0\1\1\0\0\0"),
        ("SOL_IPV6", "IPV6_ADD_MEMBERSHIP", (b"ff02::1", 1), b"\xff\2" + bytes(13) + b"\1\1\0\0\0"),
    ],
)
def test_members_by_position_are_those_of_the_option(level: str, option: str, members: Any, value: Any) -> None:
    call = make_call("setsockopt", 1, C[level], C[option], members)
    assert call.args[3] == value


@pytest.mark.parametrize("members", [(b"224.1.1.1",), (b"224.1.1.1", b"nowhere"), (b"224.1.1.1", b"::1"), (1, 2, 3, 4)])
def test_members_that_do_not_fit(members: Any) -> None:
    with pytest.raises(UsageError):
        make_call("setsockopt", 1, C["SOL_IP"], C["IP_ADD_MEMBERSHIP"], members)
