"""Have a program make its calls, one task and one call at a time, and look at what each left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from random import Random

from ktrace.agent.command import Command
from ktrace.agent.piped_command import DidNotEnd
from ktrace.agent.syscalls import make_call
from ktrace.errors import UsageError
from ktrace.state.call import Call, Completed, Exited
from ktrace.state.step import Step
from ktrace.state.world import World
from ktrace.uapi.signal import SIGKILL
from ktrace.verify.exec.lab import ProgramLab
from ktrace.verify.exec.stdio import NAME, Stdio
from ktrace.verify.judge import Observed
from ktrace.verify.observe import observe_step
from ktrace.verify.tracing.protocol import StepTracer

TURNS = 16
"""So many calls of others come between two slices of a task that makes none."""
WAIT_MS = 50
"""How long to wait at a time where every task of the program sleeps."""

Tell = Callable[[bytes, bytes], None]
"""Called with what the program said: output, errors."""


@dataclass
class ProgramRun:
    """Perform a program's calls.

    :param given: descriptor of what it reads on standard input; ``None``: nothing
    :param brought: calls that make what it needs
    :param tell: told its output as it comes
    :param seed: another order of the tasks that could go on; ``None``: the one that has waited longest
    :ivar status: how the program ended: exit status, or a signal's name; ``None`` as long as it has not
    :ivar running: tasks that were left when it ended
    :ivar world: the last that was seen
    """

    lab: ProgramLab
    command: Command
    given: int | None
    brought: Iterable[Call]
    tell: Tell
    seed: str | None = None
    tracer: StepTracer | None = None
    status: Exited | None = None
    running: tuple[str, ...] = ()
    world: World = field(default_factory=World)
    stdio: Stdio = field(default_factory=Stdio)

    def __post_init__(self) -> None:
        self.stdio = Stdio(self.given)
        self.name = PurePath(self.command.argv[0]).name
        self._number = 0
        self._began = time.monotonic_ns()
        self._random = None if self.seed is None else Random(f"exec {self.seed}")

    def steps(self) -> Iterator[Observed]:
        """Yield every step: what makes the program's standard files first, then its own.

        :raises UsageError: it cannot be executed
        :raises DidNotEnd: it has not ended in time
        """
        for actor, call in self.stdio.prelude(self.name, self.command.cwd, self.brought, self.command.user):
            yield self._step(actor, call), ()
        program = self.lab.program
        yield self._step(self.name, self._execve()), ()
        deadline = time.monotonic() + self.command.timeout
        while program.tasks:
            ours = self.stdio.next(self.world, idle=not program.ready)
            if ours is not None:
                yield self._step(NAME, ours), ()
            elif program.ready and not (program.spinning and self._number % TURNS == 0):
                name = program.ready[0] if self._random is None else self._random.choice(program.ready)
                yield self._step(name, program.next_call(name)), ()
            elif self.status is not None:
                break  # what it has left running waits for nobody of its own
            else:
                yield self._step(None, make_call("wait", WAIT_MS)), ()
            if time.monotonic() > deadline:
                raise DidNotEnd(f"{self.name} has not ended in {self.command.timeout:g} s", "--timeout gives it more")
        self.running = program.tasks
        while (ours := self.stdio.rest(self.world)) is not None:
            yield self._step(NAME, ours), ()
        yield self._step(None, make_call("kill", NAME, SIGKILL)), ()

    def _execve(self) -> Call:
        argv = tuple(map(_bytes, self.command.argv))
        return Call("execve", (argv[0], argv, tuple(map(_bytes, self.command.env))))

    def _step(self, actor: str | None, call: Call) -> Step:
        self._number += 1
        step = observe_step(self.lab, self._number, actor, call, self.tracer, began=self._began)
        self.world = step.world
        if actor == NAME:
            self.stdio.hear(step)
            if any(said := self.stdio.take()):
                self.tell(*said)
        for event in step.outcome.events:
            if isinstance(event, Exited) and event.actor == self.name:
                self.status = event
            elif isinstance(event, Completed) and call.name == "execve" and actor == event.actor == self.name:
                self._must_succeed(event)
        return step

    def _must_succeed(self, event: Completed) -> None:
        if event.result.errno is not None and not self.lab.program.tasks:
            raise UsageError(f"{self.command.argv[0]!r} cannot be executed in the guest: {event.result.errno}")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
