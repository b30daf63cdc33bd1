"""A few calls in short words, for tests that drive actors by hand."""

from __future__ import annotations

import struct

from ktrace.agent.client import Agent
from ktrace.agent.ops import Bound, Call, Load, Op, Spawn, Store
from ktrace.agent.reports import Completed, Exited, Signalled, StepReport, slots_of

SYS_READ, SYS_WRITE, SYS_CLOSE, SYS_MMAP, SYS_DUP2, SYS_PIPE2 = 0, 1, 3, 9, 33, 293
SYS_KILL, SYS_FCNTL, SYS_PAUSE, SYS_GETPID, SYS_UNLINK, SYS_FSTAT = 62, 72, 34, 39, 87, 5


class Lab:
    """An agent with spawned actors."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.hello = agent.hello()

    def step(self, op: Op) -> StepReport:
        report = self.agent.step(op)
        assert report.unsettled == 0
        assert report.lost == 0
        assert not report.more
        assert report.before <= report.after
        return report

    def spawn(self, *slots: int) -> None:
        for slot in slots:
            self.step(Spawn(slot))

    def completed(self, op: Op) -> Completed:
        """Do an operation that must complete at once and alone."""
        report = self.step(op)
        (event,) = report.events
        assert isinstance(event, Completed)
        return event

    def call(self, slot: int, nr: int, *args: int) -> int:
        return self.completed(Call(slot, nr, args)).ret

    def pipe(self, slot: int, flags: int = 0) -> tuple[int, int]:
        arena = self.hello.arena(slot)
        event = self.completed(Call(slot, SYS_PIPE2, (arena, flags), loads=(Load(arena, 8, Bound.OK),)))
        assert event.ret == 0
        ends: tuple[int, int] = struct.unpack("<ii", event.loads[0])
        return ends

    def reading(self, slot: int, fd: int, count: int) -> Call:
        arena = self.hello.arena(slot)
        return Call(slot, SYS_READ, (fd, arena, count), loads=(Load(arena, count, Bound.RET),))

    def writing(self, slot: int, fd: int, data: bytes) -> Call:
        arena = self.hello.arena(slot)
        return Call(slot, SYS_WRITE, (fd, arena, len(data)), stores=(Store(arena, data),))


def blocked(report: StepReport) -> set[int]:
    return set(slots_of(report.blocked))


def live(report: StepReport) -> set[int]:
    return set(slots_of(report.live))


__all__ = ["Completed", "Exited", "Lab", "Signalled", "blocked", "live"]
