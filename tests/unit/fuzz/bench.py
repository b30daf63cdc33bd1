"""The fuzzer without a guest: the model itself answers, started from what was recorded of a real kernel."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from ktrace.fuzz.model_view import Action, ModelView
from ktrace.fuzz.planner import Planner
from ktrace.fuzz.trial import Done, Source, Trial
from ktrace.model.build import build_model
from ktrace.model.kernel import Kernel
from ktrace.trace.session_reader import SessionReader

RECORDED = Path(__file__).parents[3] / "traces" / "recorded" / "raw.jsonl.gz"


@cache
def facts() -> Any:
    """Return what a real kernel said of itself before the first step."""
    return SessionReader(RECORDED).header.facts


def dry_run(source: Source, limit: int) -> tuple[Trial, Kernel]:
    """Make actions in the model alone."""
    kernel = build_model(facts())
    state, trial = ModelView(kernel), Trial()
    pending: dict[str, Done] = {}
    while len(trial.actions) < limit and (action := source.next(state)) is not None:
        actor, call = action
        if actor is not None:
            task = kernel.tasks[actor]
            assert task.running is None, f"{actor} is inside a call and cannot make {call.name}"
        done = Done(actor, call)
        try:
            outcome = kernel.act(actor, call)
        except NotImplementedError as error:
            trial.unmodelled = f"{call.name}: {error}"
            break
        trial.actions.append(done)
        trial.calls[call.name] += 1
        if actor is not None:
            pending[actor] = done
        trial.note(outcome, pending, source)
        state.steps += 1
    return trial, kernel


def plan(family: str, seed: int, limit: int = 150, actors: int = 4) -> Trial:
    """Return the sequence that a seed gives."""
    return dry_run(Planner([family], actors, str(seed)), limit)[0]


def actions(trial: Trial) -> list[Action]:
    """Return who made which call."""
    return [(done.actor, done.call) for done in trial.actions]


def failures(trial: Trial) -> int:
    """Return how many calls failed."""
    return sum(sum(errnos.values()) for errnos in trial.errnos.values())


def returned(trial: Trial) -> Counter[str]:
    """Return how often each call returned without an error."""
    return Counter(done.call.name for done in trial.actions if done.result is not None and done.result.errno is None)
