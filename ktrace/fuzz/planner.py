"""One sequence's actions: who is born when, which family is next, and that nobody sleeps for ever."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ktrace.agent.syscalls import CONSTANTS, make_call
from ktrace.fuzz.background import USERS, Background, credentials
from ktrace.fuzz.chance import Chance
from ktrace.fuzz.families import FAMILIES
from ktrace.fuzz.family import Family, possible
from ktrace.fuzz.model_view import Action, ModelView
from ktrace.state.call import Result
from ktrace.uapi.signal import SIGNAL_NUMBERS

TRIES = 10
BACKGROUND = 0.08
"""How often an action belongs to no family."""
ALONE = 0.6
"""How often a sequence keeps to one of the families: what takes many steps is out of reach of a mixture."""
STEADY = 0.8
"""How often nobody interferes with a scenario that has begun."""


class Planner:
    """Think of one action after the other; what comes next depends on the seed and on the model's state.

    :param families: names of the families to take calls from
    :param actors: how many actors there are most of the time
    """

    def __init__(self, families: Sequence[str], actors: int, seed: str) -> None:
        self._choose = choose = Chance(seed)
        if choose.chance(ALONE):
            families = [choose.one(families)]
        self._families = [FAMILIES[name](choose) for name in families]
        self._background = Background(choose, actors + 2)
        self._restless = choose.one((0.3, 1, 1, 2)) * BACKGROUND
        self._related = choose.one((0.0, 0.7, 0.7, 1.0))
        self._actors = actors
        self._first = self._opening()
        self._after_birth: Iterator[Action] = iter(())
        self._state: ModelView | None = None

    def next(self, state: ModelView) -> Action:
        """Return the next action."""
        self._state = state
        for actions in (self._first, self._after_birth):
            for action in actions:
                if possible(action, state):
                    return action
        urgent = (family.urgent(state) for family in self._families)
        return next((action for action in urgent if action is not None), None) or self._think(state)

    def saw(self, actor: str, result: Result) -> None:
        """Hear that a call returned; the model's state tells all there is to know."""

    def _opening(self) -> Iterator[Action]:
        """Lower limits, and bring up the actors: children of each other mostly, for what they share."""
        for family in self._families:
            for call in family.limits(self._choose):
                yield None, call
        yield from self._birth()
        for _ in range(self._actors - 1):
            yield from self._heir() if self._choose.chance(self._related) else self._birth()

    def _birth(self) -> Iterator[Action]:
        """Bring up an actor that has nothing."""
        assert self._state is not None
        name = self._state.new_name()
        yield None, make_call("spawn", name, credentials(self._choose))
        yield from self._first_steps(name, "prepare")

    def _heir(self) -> Iterator[Action]:
        """Bring up an actor that has what another one has."""
        assert self._state is not None
        free = self._state.free()
        if not free:
            yield from self._birth()
            return
        parent, name = self._choose.one(free), self._state.new_name()
        flags = self._choose.flags(0.1, CONSTANTS["CLONE_FILES"], CONSTANTS["CLONE_SYSVSEM"])
        yield parent.name, make_call("fork", name, flags)
        if self._choose.chance(0.3):
            uid = self._choose.one(USERS)
            yield name, make_call("setresuid", uid, uid, uid)
        yield from self._first_steps(name, "inherit")

    def _first_steps(self, name: str, what: str) -> Iterator[Action]:
        assert self._state is not None
        task = self._state.kernel.tasks.get(name)
        for family in self._families if task is not None else ():
            for call in getattr(family, what)(self._state, self._choose, task):
                yield name, call

    def _family(self) -> Family:
        """Return the family whose turn it is: mostly one that is in the middle of a scenario."""
        busy = [family for family in self._families if family.in_scenario]
        return busy[0] if busy and self._choose.chance(STEADY) else self._choose.one(self._families)

    def _think(self, state: ModelView) -> Action:
        choose = self._choose
        free, blocked = state.free(), state.blocked()
        if len(free) + len(blocked) < max(2, self._actors - 1):
            self._after_birth = self._heir() if free and choose.chance(self._related) else self._birth()
            return next(self._after_birth)
        if not free or (len(free) == 1 and choose.chance(0.25)) or (blocked and choose.chance(0.03)):
            fatal = choose.chance(0.1)
            name = "SIGKILL" if fatal else choose.one(("SIGUSR2", "SIGALRM"))
            return None, make_call("kill", choose.one(blocked or free).name, SIGNAL_NUMBERS[name])
        for _ in range(TRIES):
            family = self._background if choose.chance(self._restless) else self._family()
            action = family.next(state, choose) or self._background.next(state, choose)
            if action is not None:
                return action
        # Nothing can be done with what there is: time passes.
        return choose.one(free).name, make_call("getuid")
