"""Make a series of actions shorter while it still shows the same (delta debugging, Zeller and Hildebrandt 2002).

Not hypothesis: its shrinker works on the choices behind a generator and runs the generator again for every try.
Here the generator looks at the model's state, so that one choice less turns all later calls into others; and a
try costs a guest, so that dozens of them are what there is time for. Steps are what a person wants fewer of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic

from ktrace.fuzz.finding import Finding
from ktrace.fuzz.model_view import Action, ModelView
from ktrace.fuzz.renumbering import Renumbering
from ktrace.fuzz.trial import Done, Source, Trial
from ktrace.state.call import Result

Attempt = Callable[[Source, int], Trial]
"""Make actions in a fresh guest, up to so many."""


class Replay:
    """Give the actions of an earlier trial again, without those that cannot be made any more."""

    def __init__(self, actions: Sequence[Done]) -> None:
        self._actions = list(actions)
        self._at = 0
        self._renumbering = Renumbering()
        self._inside: dict[str, Done] = {}

    def next(self, state: ModelView) -> Action | None:
        """Return the next action whose actor is there and awake."""
        while self._at < len(self._actions):
            done = self._actions[self._at]
            self._at += 1
            if _possible(done, state):
                if done.actor is not None:
                    self._inside[done.actor] = done
                return done.actor, self._renumbering.renumber(done.actor, done.call)
        return None

    def saw(self, actor: str, result: Result) -> None:
        """Follow the numbers that came out differently."""
        done = self._inside.pop(actor, None)
        if done is not None:
            self._renumbering.learn(actor, done.call, done.result, result)


def _possible(done: Done, state: ModelView) -> bool:
    tasks = state.kernel.tasks
    if done.actor is None:
        return done.call.name != "kill" or done.call.args[0] in tasks
    task = tasks.get(done.actor)
    return task is not None and task.running is None


class Shrinker:
    """Leave actions out as long as the finding stays the same.

    :param attempt: makes a try
    :param seconds: how long it may take; what was reached by then is the result
    """

    def __init__(self, attempt: Attempt, seconds: float) -> None:
        self._attempt = attempt
        self._deadline = monotonic() + seconds
        self.tries = 0

    def shrink(self, trial: Trial) -> Trial:
        """Return the shortest trial found that shows what *trial* showed; *trial* itself if none does."""
        assert trial.finding is not None
        wanted = trial.finding
        best = self._try(trial.actions, wanted)
        if best is None:
            return trial
        best = self._without_actors(best, wanted)
        size = len(best.actions) // 2
        while size and monotonic() < self._deadline:
            shorter = self._pass(best, wanted, size)
            if shorter is None:
                size //= 2
            else:
                best = shorter
                size = min(size, len(best.actions) // 2)
        return best

    def _without_actors(self, best: Trial, wanted: Finding) -> Trial:
        """Leave out everything that one actor does, for each of them."""
        last = best.actions[-1]
        for name in sorted({done.actor for done in best.actions if done.actor is not None} - {last.actor}):
            rest = [done for done in best.actions if done.actor != name and not _brings_up(done, name)]
            best = self._try(rest, wanted) or best
        return best

    def _pass(self, best: Trial, wanted: Finding, size: int) -> Trial | None:
        """Leave out *size* actions at a time, from behind; return what is left if anything could go."""
        shorter = None
        end = len(best.actions) - 1
        while end > 0 and monotonic() < self._deadline:
            start = max(0, end - size)
            found = self._try([*best.actions[:start], *best.actions[end:]], wanted)
            if found is not None and len(found.actions) < len(best.actions):
                best = shorter = found
            end = min(start, len(best.actions) - 1)
        return shorter

    def _try(self, actions: Sequence[Done], wanted: Finding) -> Trial | None:
        self.tries += 1
        found = self._attempt(Replay(actions), len(actions))
        return found if wanted.same_as(found.finding) else None


def _brings_up(done: Done, name: str) -> bool:
    return done.call.name in ("spawn", "fork") and done.call.args[0] == name
