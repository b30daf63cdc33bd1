"""A model's kernel to call into: processes, pipes and the directory, no guest."""

from __future__ import annotations

from typing import Any

from ktrace.agent.syscalls import make_call
from ktrace.model.fs.pipe.pipe import PipeInode, Pipes
from ktrace.model.fs.tree import Tree
from ktrace.model.kernel import Kernel
from ktrace.model.process.process import Processes
from ktrace.state.call import Completed, Exited, Outcome, Result, Signalled
from ktrace.state.fs.pipe.pipe import PipeFacts


class Bench:
    """Do steps and look at what came of them.

    :param facts: the kernel's limits
    """

    def __init__(self, facts: PipeFacts | None = None) -> None:
        import ktrace.model.build  # noqa: F401 - rules register themselves there

        self.kernel = Kernel({"process": Processes(), "pipe": Pipes(facts), "tree": Tree()})
        self.outcome = Outcome(())

    def step(self, actor: str | None, name: str, *args: Any, **named: Any) -> Result | None:
        """Do one step; the actor's result, ``None`` where it is blocked or gone."""
        self.outcome = self.kernel.act(actor, make_call(name, *args, **named))
        return self.result(actor)

    def result(self, actor: str | None) -> Result | None:
        """Return the result that the last step had for *actor*."""
        found = [event.result for event in self.outcome.events if isinstance(event, Completed) and event.actor == actor]
        return found[0] if found else None

    def spawn(self, *names: str, **credentials: Any) -> None:
        """Bring up actors."""
        for name in names:
            self.step(None, "spawn", name, credentials)

    @property
    def blocked(self) -> set[str]:
        """Return who is inside a call."""
        return set(self.outcome.blocked)

    @property
    def completed(self) -> list[str]:
        """Return whose calls returned in the last step, in their order."""
        return [event.actor for event in self.outcome.events if isinstance(event, Completed)]

    @property
    def signals(self) -> list[tuple[str, str]]:
        """Return whose handlers ran in the last step, and for what."""
        return [(event.actor, event.signal) for event in self.outcome.events if isinstance(event, Signalled)]

    @property
    def ends(self) -> list[tuple[str, int | None, str | None]]:
        """Return who ended in the last step."""
        return [(event.actor, event.status, event.signal) for event in self.outcome.events if isinstance(event, Exited)]

    def pipe(self, actor: str, fd: int) -> PipeInode:
        """Return the model's pipe behind a descriptor."""
        found: PipeInode = self.kernel.tasks[actor].files.get(fd).private
        return found


def errno(result: Result | None) -> str | None:
    """Return how a call failed."""
    assert result is not None
    return result.errno
