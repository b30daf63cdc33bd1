"""One sequence's moves: who is born when, which family is next, and that nobody sleeps for ever."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ktrace.agent.syscalls import SIGNALS, make_call
from ktrace.fuzz.background import Background, credentials
from ktrace.fuzz.choose import Choose
from ktrace.fuzz.families import FAMILIES
from ktrace.fuzz.state import Move, State
from ktrace.model.kernel import is_modelled
from ktrace.model.task import Task
from ktrace.state.call import Result

BACKGROUND = 0.08
"""How often a move belongs to no family."""


class Planner:
    """Think of one move after the other; what comes next depends on the seed and on the model's state.

    :param families: names of the families to take calls from
    :param actors: how many actors there are most of the time
    """

    def __init__(self, families: Sequence[str], actors: int, seed: str) -> None:
        self._choose = choose = Choose(seed)
        self._families = [FAMILIES[name](choose) for name in families]
        self._background = Background(choose, actors + 2)
        self._restless = choose.one((0.3, 1, 1, 2)) * BACKGROUND
        self._actors = actors
        self._first = self._opening()
        self._after_birth: Iterator[Move] = iter(())
        self._state: State | None = None

    def next(self, state: State) -> Move:
        """Return the next move."""
        self._state = state
        for moves in (self._first, self._after_birth):
            for move in moves:
                if is_modelled(move[0], move[1].name) and self._possible(move, state):
                    return move
        return self._think(state)

    def saw(self, actor: str, result: Result) -> None:
        """Hear that a call returned; the model's state tells all there is to know."""

    def _possible(self, move: Move, state: State) -> bool:
        return move[0] is None or any(task.name == move[0] for task in state.free())

    def _opening(self) -> Iterator[Move]:
        """Lower limits, and bring up the actors."""
        for family in self._families:
            for call in family.limits(self._choose):
                yield None, call
        for _ in range(self._actors):
            yield from self._birth()

    def _birth(self) -> Iterator[Move]:
        assert self._state is not None
        name = self._state.new_name()
        yield None, make_call("spawn", name, credentials(self._choose))
        task = self._state.kernel.tasks.get(name)
        if task is not None:
            yield from self._prepare(task)

    def _prepare(self, task: Task) -> Iterator[Move]:
        assert self._state is not None
        for family in self._families:
            for call in family.prepare(self._state, self._choose, task):
                yield task.name, call

    def _think(self, state: State) -> Move:
        choose = self._choose
        free, blocked = state.free(), state.blocked()
        if len(free) + len(blocked) < max(2, self._actors - 1):
            self._after_birth = self._birth()
            return next(self._after_birth)
        if not free or (len(free) == 1 and choose.chance(0.25)) or (blocked and choose.chance(0.02)):
            fatal = choose.chance(0.1)
            signo = SIGNALS["SIGKILL"] if fatal else choose.one((SIGNALS["SIGUSR2"], SIGNALS["SIGALRM"]))
            return None, make_call("kill", choose.one(blocked or free).name, signo)
        while True:
            family = self._background if choose.chance(self._restless) else choose.one(self._families)
            move = family.next(state, choose) or self._background.next(state, choose)
            if move is not None:
                return move
