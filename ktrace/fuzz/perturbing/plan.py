"""Say which leaves of which steps are to be changed, before anything is checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from ktrace.fuzz.perturbing.change import Change, choose_changes
from ktrace.trace.session_reader import SessionReader, require_whole


@dataclass(frozen=True)
class Plan:
    """What is to be changed in one session.

    :param steps: how many it has
    :param changes: the changes of each step by its index, from 0 on
    """

    path: Path
    steps: int
    changes: dict[int, tuple[Change, ...]]


def plan(paths: Sequence[Path], seed: str, count: int, read: Callable[[int], object] | None = None) -> list[Plan]:
    """Choose up to *count* leaves of each step of all sessions, the rarest kinds first.

    :param seed: the same seed chooses the same
    :param read: told the number of every step as it is read
    :raises UsageError: a session cannot be read, or was cut off
    """
    tried: Counter[str] = Counter()
    for path in paths:
        require_whole(path)
    return [_plan(SessionReader(path, read), seed, count, tried) for path in paths]


def sample(plans: Iterable[Plan], seed: str, count: int) -> list[Plan]:
    """Return *count* of all changes that are planned, any of them alike; sessions without one are left out."""
    everything = [(each, index, change) for each in plans for index in each.changes for change in each.changes[index]]
    chosen = Random(f"sample {seed}").sample(range(len(everything)), min(count, len(everything)))
    found: dict[Path, Plan] = {}
    for each, index, change in (everything[number] for number in sorted(chosen)):
        to = found.setdefault(each.path, Plan(each.path, each.steps, {}))
        to.changes[index] = (*to.changes.get(index, ()), change)
    return list(found.values())


def _plan(reader: SessionReader, seed: str, count: int, tried: Counter[str]) -> Plan:
    before = reader.header.initial
    calls: dict[str, str] = {}
    chosen: dict[int, tuple[Change, ...]] = {}
    steps = 0
    for index, step in enumerate(reader.steps()):
        if step.actor is not None:
            calls[step.actor] = step.call.name
        random = Random(f"{seed}/{reader.header.title}/{step.number}")
        chosen[index] = tuple(choose_changes(random, step, before, calls, count, tried))
        before, steps = step.world, index + 1
    return Plan(reader.path, steps, chosen)
