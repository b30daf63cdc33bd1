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

Scene = Callable[[State, Choose], Iterator[Move]]
"""Think of several moves that belong together, such as a crowd that gathers on one queue; asked again after each."""

TRIES = 30
SCENES = 0.04
"""How often, instead of one call, a scene begins."""


class Family:
    """Generate the calls of one subsystem; one object serves one sequence.

    :param choose: says which calls this sequence prefers, and which it does without
    """

    name = "?"
    """What ``--family`` calls it."""

    def __init__(self, choose: Choose) -> None:
        self.table = swarm(choose, self.generators())
        self._scene: Iterator[Move] = iter(())

    def generators(self) -> Sequence[tuple[float, Generator]]:
        """Return what this family can do, each with its weight."""
        raise NotImplementedError

    def limits(self, choose: Choose) -> Iterator[Call]:
        """Yield sysctl calls for the start of a sequence: limits low enough to be reached."""
        return iter(())

    def prepare(self, state: State, choose: Choose, task: Task) -> Iterator[Call]:
        """Yield what a new actor does first."""
        return iter(())

    def inherit(self, state: State, choose: Choose, task: Task) -> Iterator[Call]:
        """Yield what an actor does first that has just been forked."""
        return iter(())

    def scenes(self) -> Sequence[tuple[float, Scene]]:
        """Return what takes several moves, each with its weight."""
        return ()

    def next(self, state: State, choose: Choose) -> Move | None:
        """Return a move of a free actor, ``None`` if nothing came to mind."""
        free = state.free()
        move = next(self._scene, None)
        if move is not None and any(task.name == move[0] for task in free) and is_modelled(move[0], move[1].name):
            return move
        # Whoever should have gone on is asleep or gone: the scene is over.
        self._scene = iter(())
        if choose.chance(SCENES) and (scenes := self.scenes()):
            self._scene = choose.weighted(scenes)(state, choose)
        for _ in range(TRIES):
            task = choose.one(free)
            call = choose.weighted(self.table)(state, choose, task)
            if call is not None and is_modelled(task.name, call.name):
                return task.name, call
        return None
