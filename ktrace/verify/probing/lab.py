"""A lab in which every call is made with probes in place."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from ktrace.agent.actors import Performed
from ktrace.errors import GuestError
from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.kernel import LiveKernel
from ktrace.machine.gdbstub import GdbStub
from ktrace.machine.machine import Machine
from ktrace.state.call import Call
from ktrace.state.world import World
from ktrace.trace.changes import changes
from ktrace.trace.value import short
from ktrace.verify.lab import KernelCache, Lab
from ktrace.verify.probing.breakpoints import Breakpoints, ProbeTarget, check_probes


class ProbingLab(Lab):
    """Stop at *targets* during every call that they are for. Closed by :meth:`close`.

    :raises UsageError: this kernel has no such function, or an expression cannot be read
    """

    def __init__(
        self, machine: Machine, vmlinux: Any, targets: tuple[ProbeTarget, ...], kernels: KernelCache | None = None
    ) -> None:
        super().__init__(machine, vmlinux, kernels)
        self._world = World()
        self._targets = targets
        check_probes(self.kernel, targets)
        self._stub = GdbStub(machine)
        self._stub.go()

    def perform(self, actor: str | None, call: Call) -> Performed:
        """Do one step, with what the probes saw of it."""
        targets = tuple(target for target in self._targets if target.call in ("", call.name))
        if not targets:
            return super().perform(actor, call)
        self._stub.halt()
        breakpoints = self._breakpoints(targets)
        breakpoints.start()
        try:
            performed = super().perform(actor, call)
        finally:
            hits = breakpoints.stop()
            self._stub.go()
        return replace(performed, hits=hits)

    def see(self, blocked: Collection[str]) -> tuple[Mapping[str, tuple[str, ...]], World]:
        """Return where *blocked* actors sleep, and what there is."""
        sleeps, self._world = super().see(blocked)
        return sleeps, self._world

    def look(self) -> World:
        """Return the named World as it is now."""
        self._world = super().look()
        return self._world

    def _changed(self) -> str:
        """Tell what the call has changed so far: what is there for a moment only is among it."""
        # A copy: what is gone again when the call returns must not have taken a name.
        namer = deepcopy(self._namer)
        try:
            found = [
                f"{item.label}{'.' if item.path else ''}{item.path} {short(item.before)} → {short(item.after)}"
                for item in changes(self._world, namer.name(self.inspector.observe()))
            ]
        except (CorruptStructure, GuestError) as error:
            return f"cannot be read: {error}"
        return "\n".join(found) or "unchanged"

    def close(self) -> None:
        """Let the guest go."""
        self._stub.close()

    def _breakpoints(self, targets: tuple[ProbeTarget, ...]) -> Breakpoints:
        kernel: LiveKernel = self.kernel
        by_pid = {pid: name for name, pid in self.actors.pids.items()}
        return Breakpoints(self._stub, kernel, targets, by_pid, self._changed)
