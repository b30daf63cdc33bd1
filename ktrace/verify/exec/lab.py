"""A lab in which one actor becomes a program."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ktrace.agent.ops import Wait
from ktrace.agent.traced import TracedActors
from ktrace.inspect.fs.delayed_fput import DelayedFputs
from ktrace.inspect.mm.user_memory import UserMemory, page_table_levels
from ktrace.state.ipc.sem import SemArray
from ktrace.state.world import World
from ktrace.verify.lab import TRIES, Lab


class ProgramLab(Lab):
    """Have a program make its calls in a guest, and look at the kernel after each.

    :ivar program: the actors, of which one is the program
    """

    program: TracedActors

    def _make_actors(self, later: DelayedFputs) -> TracedActors:
        self._user_memory = UserMemory(self.kernel, page_table_levels(self.vmcoreinfo))
        self.program = TracedActors(
            self.guest.agent, self.hello, later, self._semaphores, self._mapped, self._in_32bit_call
        )
        return self.program

    def _look_at_rest(self, blocked: Collection[str]) -> tuple[Mapping[str, tuple[str, ...]], World]:
        """Return where *blocked* tasks sleep, and what there is.

        On a busy host the guest may stand still in the middle of what a timer has begun: nobody is looked at there.
        """
        for _ in range(TRIES):
            sleeps, raw = super()._look_at_rest(blocked)
            if all(sleeps.values()):
                break
            self.guest.agent.step(Wait(0))  # the agent has its turn when all tasks are at rest; it keeps what it hears
        return sleeps, raw

    def _mapped(self, name: str, addr: int, length: int) -> bytes | None:
        """Return what is there of a task's memory without asking the guest."""
        task = self.inspector.tasks.get(name)
        return None if task is None else self._user_memory.read(task, addr, length)

    def _in_32bit_call(self, name: str) -> bool:
        """Tell whether a task stands at the entry of a call of 32 bits, whose numbers are others."""
        task = self.inspector.tasks.get(name)
        return task is not None and self._user_memory.in_32bit_call(task)

    def _semaphores(self, semid: int) -> int:
        """Return how many semaphores the set *semid* has; 0 where there is none.

        It may have come with the very call that is on its way out: what was seen last does not have it.
        """
        for value in self.inspector.observe().objects.values():
            if isinstance(value, SemArray) and value.sem_perm.id == semid:
                return value.sem_nsems
        return 0
