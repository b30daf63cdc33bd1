"""A family of calls: what every one of them is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ktrace.fuzz.choose import Choose, swarm
from ktrace.fuzz.state import Move, State
from ktrace.model.kernel import is_modelled
from ktrace.model.task import Task
from ktrace.state.call import Call

Generator = Callable[[State, Choose, Task], Call | None]
"""Think of a call for a task, or of none if there is nothing to do that with."""

TRIES = 30


class Family:
    """Generate the calls of one subsystem; one object serves one sequence.

    :param choose: says which calls this sequence prefers, and which it does without
    """

    name = "?"
    """What ``--family`` calls it."""

    def __init__(self, choose: Choose) -> None:
        self.table = swarm(choose, self.generators())

    def generators(self) -> Sequence[tuple[float, Generator]]:
        """Return what this family can do, each with its weight."""
        raise NotImplementedError

    def limits(self, choose: Choose) -> Iterator[Call]:
        """Yield sysctl calls for the start of a sequence: limits low enough to be reached."""
        return iter(())

    def prepare(self, state: State, choose: Choose, task: Task) -> Iterator[Call]:
        """Yield what a new actor does first."""
        return iter(())

    def next(self, state: State, choose: Choose) -> Move | None:
        """Return a move of a free actor, ``None`` if nothing came to mind."""
        free = state.free()
        for _ in range(TRIES):
            task = choose.one(free)
            call = choose.weighted(self.table)(state, choose, task)
            if call is not None and is_modelled(task.name, call.name):
                return task.name, call
        return None
