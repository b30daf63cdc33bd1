"""What a session knows of one moment besides the World: who lived then, inside which calls, and where objects were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ktrace.state.call import Call, Completed, Exited
from ktrace.state.process.process import Process
from ktrace.state.ref import Ref
from ktrace.state.step import Step
from ktrace.state.world import World


@dataclass
class SessionState:
    """Follow a session, step by step.

    :ivar number: of the last step
    :ivar world: after it
    :ivar living: pids of the actors that live, by name
    :ivar names_by_pid: of all that ever lived
    :ivar calls: the calls inside which actors are
    :ivar addresses: where objects are or were, by their names, in the order in which they got them
    """

    world: World
    addresses: dict[Ref, int]
    number: int = 0
    living: Mapping[str, int] = field(default_factory=dict)
    names_by_pid: dict[int, str] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)

    def follow(self, step: Step) -> None:
        """Take the next step."""
        self.number, self.world = step.number, step.world
        self.addresses.update(step.addresses)
        processes = step.world.of_kind("process").values()
        self.living = {value.name: value.pid for value in processes if isinstance(value, Process)}
        self.names_by_pid.update({pid: name for name, pid in self.living.items()})
        if step.actor in step.outcome.blocked:
            assert step.actor is not None
            self.calls[step.actor] = step.call
        for event in step.outcome.events:
            if isinstance(event, (Completed, Exited)) and event.actor not in step.outcome.blocked:
                self.calls.pop(event.actor, None)
