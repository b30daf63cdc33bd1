"""A lab in which every call is made with probes in place."""

from __future__ import annotations

from typing import Any

from ktrace.agent.actors import Performed
from ktrace.inspect.kernel import LiveKernel
from ktrace.machine.gdbstub import GdbStub
from ktrace.machine.machine import Machine
from ktrace.state.call import Call
from ktrace.state.probe import Hit
from ktrace.verify.lab import KernelCache, Lab
from ktrace.verify.probe import Probe, Target, check_targets


class ProbedLab(Lab):
    """Stop at *targets* during every call; in between, the guest stands still. Closed by :meth:`close`.

    :ivar hits: of the last call
    :raises UsageError: this kernel has no such function, or an expression cannot be read
    """

    def __init__(
        self, machine: Machine, vmlinux: Any, targets: tuple[Target, ...], kernels: KernelCache | None = None
    ) -> None:
        super().__init__(machine, vmlinux, kernels)
        self.hits: tuple[Hit, ...] = ()
        self._targets = targets
        check_targets(self.kernel, targets)
        self._stub = GdbStub(machine)

    def perform(self, actor: str | None, call: Call) -> Performed:
        """Do one step, and keep what the probes saw of it."""
        probe = self._probe()
        probe.start()
        try:
            return super().perform(actor, call)
        finally:
            self.hits = probe.stop()

    def close(self) -> None:
        """Let the guest go."""
        self._stub.close()

    def _probe(self) -> Probe:
        kernel: LiveKernel = self.kernel
        by_pid = {pid: name for name, pid in self.actors.pids.items()}
        return Probe(self._stub, kernel, self._targets, by_pid)
