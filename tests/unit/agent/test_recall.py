"""Registers and memory become the call again that they were made of: every call of every recorded trace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ktrace.agent.syscalls import SIGNATURES, Caller, Fault, RawCall, Wanted, encode, recall
from ktrace.state.call import Call, Pointer
from ktrace.state.step import Step
from ktrace.trace.session_reader import SessionReader

RECORDED = Path(__file__).parents[3] / "traces" / "recorded"
ARENA, SIZE = 0x1000000, 0xC0000
PIDS = {name: 1000 + number for number, name in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ")}
NAMES = {pid: name for name, pid in PIDS.items()}


class Memory:
    """An arena with the bytes of one call in it, and nothing besides."""

    def __init__(self, raw: RawCall) -> None:
        self.bytes = bytearray(SIZE)
        for addr, data in raw.stores:
            self.bytes[addr - ARENA : addr - ARENA + len(data)] = data

    def read(self, addr: int, length: int) -> bytes:
        if not ARENA <= addr <= addr + length <= ARENA + SIZE:
            raise Fault
        return bytes(self.bytes[addr - ARENA : addr - ARENA + length])


def again(call: Call, semaphores: int = 0) -> tuple[Call, tuple[Wanted, ...], RawCall]:
    raw = encode(call, ARENA, SIZE, PIDS)
    found = recall(raw.nr, raw.args, Caller(Memory(raw).read, NAMES, lambda semid: semaphores))
    assert found is not None
    return *found, raw


def calls_of(path: Path) -> Iterator[Call]:
    for event in SessionReader(path).events():
        if isinstance(event, Step) and event.call.name in SIGNATURES:
            yield event.call


def count_in(call: Call) -> int:
    """Return how many semaphores the set of a semctl must have had."""
    value = call.args[3] if call.name == "semctl" else 0
    return len(value) if isinstance(value, tuple) else value if isinstance(value, int) and 0 <= value < 1 << 16 else 0


def outside(raw: RawCall) -> list[int]:
    return [value for value in raw.args if not ARENA <= value < ARENA + SIZE]


@pytest.mark.parametrize("path", sorted(RECORDED.glob("*.gz")), ids=lambda path: path.name.partition(".")[0])
def test_calls_come_back(path: Path) -> None:
    for call in calls_of(path):
        found, wanted, raw = again(call, count_in(call))
        found = replace(found, memory={})  # what there is of buffers that are not whole
        if not any(isinstance(value, Pointer) for value in (*call.args, *call.pointers.values())):
            # What was asked for is asked for again: an arena's sets and boundless buffers are larger.
            asked, before = sum(n for item in wanted for _, n in item.parts), sum(load.length for load in raw.loads)
            assert len(wanted) == len(raw.loads) and (asked == before or call.name in BOUNDED), call
        if found == call:
            continue
        # Lengths and numbers may have been said otherwise: what they come to is the same.
        same, _, second = again(found, count_in(found) or count_in(call))
        assert replace(same, memory={}) == found and (outside(second) == outside(raw) or call.name in SIGNS | UNREAD), (
            call
        )


BOUNDED = {"select", "pselect6", "read", "recvfrom", "epoll_wait", "readv", "recvmsg"}
SIGNS = {"eventfd", "msgget"}
"""Numbers of 32 bits that were written with the other sign."""

UNREAD = {"semctl", "writev", "write", "poll", "semop", "sendto", "readv"}
"""Addresses of nothing, which need not be mapped."""
