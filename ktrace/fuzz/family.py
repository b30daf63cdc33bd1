"""A family of calls: what every one of them is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ktrace.agent.syscalls import make_call
from ktrace.fuzz.chance import Chance, swarm
from ktrace.fuzz.model_view import Action, ModelView
from ktrace.model.calls import is_modelled
from ktrace.model.task import Task
from ktrace.state.call import Call

Generator = Callable[[ModelView, Chance, Task], Call | None]
"""Think of a call for a task, or of none if there is nothing to do that with."""

Scenario = Callable[[ModelView, Chance], Iterator[Action]]
"""Think of several actions that belong together, such as a crowd that gathers on one queue; asked again after each."""

TRIES = 30
_START, _SECONDS = 1767229200, 10
"""An hour after a guest's clock starts, and what each step is later by."""


class Family:
    """Generate the calls of one subsystem; one object serves one sequence.

    :param choose: says which calls this sequence prefers, and which it does without
    """

    name = "?"
    """What ``--family`` calls it."""

    scenario_share = 0.04
    """How often, instead of one call, a scenario begins."""

    def __init__(self, choose: Chance) -> None:
        self.table = swarm(choose, self.generators())
        self._scenario: Iterator[Action] = iter(())
        self._in_scenario = False

    def generators(self) -> Sequence[tuple[float, Generator]]:
        """Return what this family can do, each with its weight."""
        raise NotImplementedError

    def limits(self, choose: Chance) -> Iterator[Call]:
        """Yield sysctl calls for the start of a sequence: limits low enough to be reached."""
        return iter(())

    def prepare(self, state: ModelView, choose: Chance, task: Task) -> Iterator[Call]:
        """Yield what a new actor does first."""
        return iter(())

    def inherit(self, state: ModelView, choose: Chance, task: Task) -> Iterator[Call]:
        """Yield what an actor does first that has just been forked."""
        return iter(())

    def scenarios(self) -> Sequence[tuple[float, Scenario]]:
        """Return what takes several actions, each with its weight."""
        return ()

    def urgent(self, state: ModelView) -> Action | None:
        """Return an action that has to come before any other, mostly none."""
        return None

    @property
    def in_scenario(self) -> bool:
        """Whether the last action was part of a scenario, which may go on."""
        return self._in_scenario

    def next(self, state: ModelView, choose: Chance) -> Action | None:
        """Return an action of a free actor, ``None`` if nothing came to mind."""
        free = state.free()
        if (action := self._go_on(state)) is not None:
            return action
        if choose.chance(self.scenario_share) and (scenarios := self.scenarios()):
            self._scenario = choose.weighted(scenarios)(state, choose)
            if (action := self._go_on(state)) is not None:
                return action
        for _ in range(TRIES):
            task = choose.one(free)
            call = choose.weighted(self.table)(state, choose, task)
            if call is not None and is_modelled(task.name, call.name):
                return task.name, call
        return None

    def _go_on(self, state: ModelView) -> Action | None:
        """Return the scenario's next action; it is over where whoever should make it is asleep or gone."""
        action = next(self._scenario, None)
        self._in_scenario = action is not None and possible(action, state)
        if not self._in_scenario:
            self._scenario = iter(())
            return None
        return action


def possible(action: Action, state: ModelView) -> bool:
    """Tell whether whoever should make *action* is there and awake, and the model knows the call."""
    actor, call = action
    return is_modelled(actor, call.name) and (actor is None or any(task.name == actor for task in state.free()))


def later(state: ModelView, choose: Chance, task: Task) -> Call | None:
    """Set the clock forward: only then can be seen which times a call sets again."""
    if not task.cred.capable("CAP_SYS_TIME") and choose.chance(0.95):
        return None
    return make_call("clock_settime", 0, {"tv_sec": _START + _SECONDS * state.number, "tv_nsec": 0})
