"""An actor of ktrace's own, for what the agent does not do itself: directories, device nodes, window sizes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType

from ktrace.agent import ops
from ktrace.agent.actors import operation
from ktrace.agent.client import Agent
from ktrace.agent.reports import Completed
from ktrace.agent.syscalls import decode, encode
from ktrace.errors import GuestError, GuestGarbage, UsageError
from ktrace.state.call import Call, Result


class OwnActor:
    """A process beside those of the workload, root, without a descriptor; gone when the ``with`` is left.

    It takes a slot that is free, so it may be had while a workload's actors live. What happens to those meanwhile is
    nobody's step, and is told to nobody.

    :ivar slot: which it is
    :ivar pid: in the guest, once it lives
    :raises UsageError: every slot is taken
    """

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._hello = agent.hello()
        free = [slot for slot, pid in enumerate(self._hello.pids) if not pid]
        if not free:
            raise UsageError(f"all {self._hello.slots} actors of the guest live", "let one of them exit")
        self.slot = free[-1]
        self.pid = 0

    def __enter__(self) -> OwnActor:
        self._agent.step(ops.Spawn(self.slot))
        self.pid = self._agent.hello().pids[self.slot]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with suppress(*([GuestError] if error is not None else [])):
            self._agent.step(ops.Exit(self.slot))

    def call(self, call: Call) -> Result:
        """Make a system call that does not sleep, and return its result."""
        raw = encode(call, self._hello.arena(self.slot), self._hello.arena_size, {})
        event = self._completed(operation(self.slot, raw), call.name)
        return decode(call, event.ret, event.loads, {})

    def raw(self, nr: int, *args: int | bytes) -> int:
        """Make a system call by number and return what it returned; ``bytes`` are passed by address."""
        return self._completed(self._raw(nr, args), f"system call {nr}").ret

    def batch(self, calls: Sequence[tuple[int, Sequence[int | bytes]]]) -> list[int]:
        """Make many system calls as :meth:`raw` makes one, none of which sleeps, and return what each returned."""
        reports = self._agent.batch([self._raw(nr, args) for nr, args in calls])
        returned = [event.ret for report in reports for event in report.events if isinstance(event, Completed)]
        if len(returned) != len(calls):
            raise GuestGarbage(f"{len(calls) - len(returned)} calls of ktrace's own actor did not return")
        return returned

    def _raw(self, nr: int, args: Sequence[int | bytes]) -> ops.Call:
        arena = self._hello.arena(self.slot)
        stores, values = [], []
        for value in args:
            if isinstance(value, int):
                values.append(value)
                continue
            stores.append(ops.Store(arena, value))
            values.append(arena)
            arena += (len(value) + 15) & ~15
        return ops.Call(self.slot, nr, tuple(values), tuple(stores))

    def _completed(self, call: ops.Call, name: str) -> Completed:
        for event in self._agent.step(call).events:
            if isinstance(event, Completed) and event.slot == self.slot:
                return event
        raise GuestGarbage(f"{name} of ktrace's own actor did not return")
