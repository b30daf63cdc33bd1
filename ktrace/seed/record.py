"""What a chapter's workload left behind for its claims to be judged by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ktrace.inspect.trace.inlined import Inlined
from ktrace.state.call import Completed, Result
from ktrace.state.step import Step
from ktrace.state.world import World
from ktrace.verify.lab import Lab


@dataclass(frozen=True)
class Record:
    """The steps of a chapter, and the guest as the last one left it.

    :param inlined: what gcc inlined in each function of this kernel
    """

    lab: Lab
    steps: tuple[Step, ...]
    inlined: Mapping[str, Mapping[str, Inlined]]

    @property
    def prog(self) -> Any:
        """drgn's program of the live guest."""
        return self.lab.kernel.prog

    def at(self, line: int) -> Step:
        """Return the last step of that line of the script."""
        return [step for step in self.steps if step.line == line][-1]

    def world(self, line: int) -> World:
        """Return the World after that line."""
        return self.at(line).world

    def result(self, line: int) -> Result:
        """Return what the call of that line returned."""
        step = self.at(line)
        return next(
            event.result for event in step.outcome.events if isinstance(event, Completed) and event.actor == step.actor
        )

    def only(self, line: int, kind: str) -> Any:
        """Return the one object of a kind after that line."""
        (value,) = self.world(line).of_kind(kind).values()
        return value

    def sysctl(self, name: str) -> int:
        """Return the first number in a file below ``/proc/sys/kernel`` of the guest."""
        return int(self.lab.guest.agent.read_file(f"/proc/sys/kernel/{name}").split()[0])
