"""Run a workload with a probe in place during every step."""

from __future__ import annotations

from collections.abc import Iterator

from ktrace.agent.actors import Performed
from ktrace.machine.gdbstub import GdbStub
from ktrace.state.call import Call
from ktrace.state.step import Step
from ktrace.verify.lab import Lab
from ktrace.verify.probe import Hit, Probe
from ktrace.verify.run import perform_script
from ktrace.workload.script import Script


class _ProbedLab:
    """A lab whose calls are made with a probe in place; in between, the guest stands still."""

    def __init__(self, lab: Lab, stub: GdbStub, function: str, expressions: tuple[str, ...]) -> None:
        self._lab = lab
        self._stub = stub
        self._function = function
        self._expressions = expressions
        self.hits: tuple[Hit, ...] = ()

    def perform(self, actor: str | None, call: Call) -> Performed:
        lab = self._lab
        by_pid = {pid: name for name, pid in lab.actors.pids.items()}
        probe = Probe(self._stub, lab.kernel, self._function, self._expressions, by_pid)
        probe.start()
        try:
            performed = lab.perform(actor, call)
        finally:
            self.hits = probe.stop()
        return performed

    def __getattr__(self, name: str) -> object:
        return getattr(self._lab, name)


def probed_steps(
    script: Script, lab: Lab, stub: GdbStub, function: str, expressions: tuple[str, ...]
) -> Iterator[tuple[Step, tuple[Hit, ...]]]:
    """Yield every step of *script* with the hits of the probe in it.

    :param stub: holds the lab's guest
    :raises UsageError: there is no such function, or an expression cannot be read
    """
    probed = _ProbedLab(lab, stub, function, expressions)
    for step, _ in perform_script(script, probed):  # type: ignore[arg-type]
        yield step, probed.hits
