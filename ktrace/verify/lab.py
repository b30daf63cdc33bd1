"""A guest to work in: its actors, and an inspector that looks at what they do."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from ktrace.agent.actors import Actors, Performed
from ktrace.agent.client import Agent
from ktrace.agent.reports import Hello
from ktrace.errors import GuestGarbage
from ktrace.inspect.build import build_inspector, read_facts
from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.fs.delayed_fput import DelayedFputs
from ktrace.inspect.inspector import Inspector
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.memory import PhysicalMemory
from ktrace.inspect.process.process import find_task
from ktrace.inspect.process.signal import read_process_facts
from ktrace.inspect.process.stack import StackReader
from ktrace.inspect.softirqs import Softirqs
from ktrace.inspect.wall_clock import WallClock
from ktrace.machine.console import Console
from ktrace.state.call import Call, Exited
from ktrace.state.naming import Namer
from ktrace.state.ref import Ref
from ktrace.state.world import World
from ktrace.trace.session_state import SessionState
from ktrace.verify.fair_server import defer_fair_server
from ktrace.verify.poke import WritableMemory
from ktrace.verify.randomness import fix_random_numbers

TRIES = 4
"""Looks at what timers may change meanwhile."""


class GuestMemory(PhysicalMemory, WritableMemory, Protocol):
    """A guest's RAM, which can be changed behind its back."""


class Guest(Protocol):
    """What a lab needs of a machine."""

    @property
    def agent(self) -> Agent:
        """The connected agent."""

    @property
    def memory(self) -> GuestMemory:
        """The guest's RAM."""

    @property
    def console(self) -> Console:
        """What it prints."""


class KernelCache:
    """Keep the debug information of the last kernel loaded: the next guest of the same image reuses it."""

    def __init__(self) -> None:
        self._key = ("", b"", 0)
        self._kernel: LiveKernel | None = None

    def attach(self, memory: PhysicalMemory, vmlinux: Any, vmcoreinfo: bytes) -> LiveKernel:
        """Open the kernel that runs in *memory* (see :meth:`LiveKernel.attach`)."""
        key = (str(vmlinux), vmcoreinfo, memory.size)
        if self._kernel is None or self._key != key:
            self._kernel = LiveKernel.attach(memory, vmlinux, vmcoreinfo)
            self._key = key
        else:
            self._kernel.use(memory)
        return self._kernel


class KernelCaches:
    """Keep the debug information of kernels loaded, once for each guest that there is at a time."""

    def __init__(self) -> None:
        self._free: list[KernelCache] = []

    @contextmanager
    def lent(self) -> Iterator[KernelCache]:
        """Yield a cache that no other guest uses meanwhile."""
        cache = self._free.pop() if self._free else KernelCache()
        try:
            yield cache
        finally:
            self._free.append(cache)


class Lab:
    """Have actors make calls in *guest* and look at the kernel after each.

    :param vmlinux: the kernel's debug information
    :param kernels: keeps it loaded for the next lab
    :param state: of the session that *guest* was in when it was saved; ``None``: nothing has happened in it yet
    :param facts: as they were read of another clone of the same guest, which has them, too; ``None``: they are read
    :param hello: what the agent said, if nothing was asked of it since; ``None``: it is asked
    :raises GuestGarbage: there is something that no session begins with
    """

    def __init__(
        self,
        guest: Guest,
        vmlinux: Any,
        kernels: KernelCache | None = None,
        state: SessionState | None = None,
        facts: Mapping[str, Any] | None = None,
        hello: Hello | None = None,
    ) -> None:
        self.guest = guest
        self.vmlinux = vmlinux
        self.hello = guest.agent.hello() if hello is None else hello
        self.vmcoreinfo = read_vmcoreinfo(guest.memory, self.hello.vmcoreinfo_address, self.hello.vmcoreinfo_size)
        self.kernel = (kernels or KernelCache()).attach(guest.memory, vmlinux, self.vmcoreinfo)
        if state is None:
            fix_random_numbers(self.kernel, guest.memory)
            defer_fair_server(self.kernel, guest.memory)
        self.inspector: Inspector = build_inspector(self.kernel)
        self.actors = self._make_actors(DelayedFputs(self.kernel))
        self.facts: Mapping[str, Any] = facts or {}
        if state is None and facts is None:
            self.facts = {**read_facts(self.kernel), "process": read_process_facts(self.kernel, self.actors.agent_pid)}
        self._namer = Namer()
        self._stacks = StackReader(self.kernel)
        self._softirqs = Softirqs(self.kernel)
        self._wall_clock = WallClock(self.kernel)
        self._sleeps: dict[str, tuple[tuple[int, int], tuple[str, ...]]] = {}
        if state is not None:
            self._adopt(state)

    def _make_actors(self, later: DelayedFputs) -> Actors:
        return Actors(self.guest.agent, self.hello, later)

    def perform(self, actor: str | None, call: Call) -> Performed:
        """Do one step without looking (the unchecked rate of the benchmark)."""
        performed = self.actors.perform(actor, call)
        for name, pid in performed.spawned.items():
            self.inspector.add_actor(name, pid, find_task(self.kernel, pid))
        for event in performed.outcome.events:
            if isinstance(event, Exited):
                self.inspector.remove_actor(event.actor)
        return performed

    def forget(self) -> None:
        """Have the next look read everything again: the readers remember what has not changed."""
        fresh = build_inspector(self.kernel)
        fresh.tasks, fresh.names_by_pid = self.inspector.tasks, self.inspector.names_by_pid
        self.inspector = fresh

    def look(self) -> World:
        """Return the named World as it is now."""
        return self._namer.name(self.inspector.observe())

    def _adopt(self, state: SessionState) -> None:
        """Go on where a session was."""
        self.actors.adopt(state.living, state.calls)
        for name, pid in state.living.items():
            self.inspector.add_actor(name, pid, find_task(self.kernel, pid))
        self.inspector.names_by_pid.update(state.names_by_pid)
        self.actors.by_pid.update(state.names_by_pid)
        self._namer.adopt(state.addresses, state.world)

    @property
    def namer(self) -> Namer:
        """What names the objects."""
        return self._namer

    @property
    def fresh(self) -> Mapping[Ref, int]:
        """The addresses of what the last look was the first to see, by their names."""
        return self._namer.fresh

    def see(self, blocked: Collection[str]) -> tuple[Mapping[str, tuple[str, ...]], World]:
        """Return where *blocked* actors sleep, and what there is: again if one was woken, or a softirq ran, meanwhile.

        The guest runs on: a timer of TCP sends a SYN again, which makes a connection of what was read already.

        :raises CorruptStructure: it cannot be read, and nobody can have been at it
        """
        sleeps, raw = self._look_at_rest(blocked)
        return sleeps, self._namer.name(raw)

    def _look_at_rest(self, blocked: Collection[str]) -> tuple[Mapping[str, tuple[str, ...]], World]:
        """Return the same, what there is with raw references."""
        for last in range(TRIES):
            ran, sleeps = self._softirqs.count(), self.where(blocked)
            try:
                raw = self.inspector.observe()
            except CorruptStructure:
                if last == TRIES - 1 or (not blocked and self._softirqs.count() == ran):
                    raise
                continue
            if self._softirqs.count() != ran:
                continue
            before = self._sleeps
            asleep = all(depth for (depth, _), _ in before.values())
            if not blocked or (asleep and self.where(blocked) == sleeps and self._sleeps == before):
                break
        return sleeps, raw

    def until(self, clock: tuple[int, int]) -> tuple[int, int]:
        """Return the *clock* around a step up to now, when it was looked at: a timer may have ended meanwhile."""
        return clock[0], max(clock[1], self._wall_clock.seconds())

    def where(self, blocked: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """Return the kernel functions in which *blocked* actors sleep.

        One that has not run since this was asked last is not unwound again.
        """
        found = {}
        for name in blocked:
            task = self.inspector.tasks[name]
            rest = self._stacks.rest(task)
            known = self._sleeps.get(name)
            same = known is not None and known[0] == rest and known[1]
            found[name] = (rest, known[1] if known is not None and same else self._stacks.functions(task))
        self._sleeps = found
        return {name: functions for name, (_, functions) in found.items()}


def read_vmcoreinfo(memory: PhysicalMemory, address: int, size: int) -> bytes:
    """Return the text of the vmcoreinfo note at physical *address*.

    :raises GuestGarbage: no such note is there
    """
    note = memory.read(address, size) if size else b""
    name_size, text_size = int.from_bytes(note[0:4], "little"), int.from_bytes(note[4:8], "little")
    start = 12 + (name_size + 3 & ~3)
    text = note[start : start + text_size]
    if not note[12:].startswith(b"VMCOREINFO") or len(text) != text_size:
        raise GuestGarbage(
            f"no vmcoreinfo note at physical {address:#x}",
            "the kernel needs CONFIG_CRASH_CORE and CONFIG_PROC_KCORE or KEXEC",
        )
    return text
