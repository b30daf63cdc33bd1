"""Choose leaves of a step, and what to put in their place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from ktrace.fuzz.perturbing.leaves import Place, leaves, named, with_leaf
from ktrace.state.call import Completed
from ktrace.state.ref import Ref
from ktrace.state.step import Step
from ktrace.state.world import World
from ktrace.uapi.errno import ERRNO_NAMES

ABSENT = object()
ERRNOS = tuple(ERRNO_NAMES.values())
"""Every reason for which a call may fail."""
_DISTANCES = (1, -1, 2, 4096, 1 << 20)


@dataclass(frozen=True)
class Change:
    """One leaf of a step that is to be another one.

    :param kind: what it is, without numbers: ``pipe.bufs[].len``, ``fstat: statbuf.st_ino``
    :param where: the object of the World, or the index of the event
    :param before: what is there; *after* what is to be there
    """

    kind: str
    where: Ref | int
    place: Place
    before: Any
    after: Any

    def __str__(self) -> str:
        return f"{self.kind} of {self.where}: {self.before!r} as {self.after!r}"

    def apply(self, step: Step) -> Step:
        """Return *step* as it would have been seen."""
        if isinstance(self.where, Ref):
            changed = with_leaf(step.world.objects[self.where], self.place, self.after)
            return replace(step, world=World({**step.world.objects, self.where: changed}))
        events = list(step.outcome.events)
        events[self.where] = with_leaf(events[self.where], self.place, self.after)
        return replace(step, outcome=replace(step.outcome, events=tuple(events)))


def choose_changes(
    random: Random, step: Step, before: World, calls: Mapping[str, str], count: int, tried: Counter[str]
) -> list[Change]:
    """Return up to *count* changes of what a step did: members that it changed, results, out values.

    :param before: the World before it
    :param calls: the call that each actor is in, or came out of
    :param tried: how often leaves of each kind were changed so far: the rarest come first
    """
    found = [*_of_world(step.world, before), *_of_outcome(step, calls)]
    random.shuffle(found)
    changes: list[Change] = []
    for _ in range(min(count, len(found))):
        at = min(range(len(found)), key=lambda index: tried[found[index][0]])
        kind, where, place, old, former = found.pop(at)
        errno = place[-1:] == ((".", "errno"),)
        new = _other_errno(random, old) if errno else _other(random, old, former, step.world)
        if new is not ABSENT:
            tried[kind] += 1
            changes.append(Change(kind, where, place, old, new))
    return changes


_Found = tuple[str, "Ref | int", Place, Any, Any]


def _of_world(world: World, before: World) -> Iterator[_Found]:
    """Yield the leaves of the World that are not as they were, with what they were."""
    for ref, value in world.changed_since(before)[0].items():
        former = before.objects.get(ref)
        known = {} if former is None else dict(leaves(former))
        for place, leaf in leaves(value):
            old = known.get(place, ABSENT)
            if type(old) is not type(leaf) or old != leaf:
                yield f"{ref.kind}{named(place)}", ref, place, leaf, old


def _of_outcome(step: Step, calls: Mapping[str, str]) -> Iterator[_Found]:
    """Yield what calls returned and signals said."""
    for index, event in enumerate(step.outcome.events):
        call = calls.get(event.actor, "?")
        for place, leaf in leaves(event):
            names = [key for _, key in place]
            if names in (["actor"], ["signal"]):
                # Another actor's event is another event.
                continue
            if isinstance(event, Completed):
                if names == ["result", "value"] and event.result.errno is not None:
                    continue
                if names == ["result", "out"]:
                    continue
                rest = place[2:] if names[:2] == ["result", "out"] else place[:1]
                yield f"{call}: {named(rest).lstrip('.')}", index, place, leaf, ABSENT
            else:
                yield f"{type(event).__name__}{named(place)}", index, place, leaf, ABSENT


def _other_errno(random: Random, old: str | None) -> str:
    """Return any other reason to fail; only calls that are known to the program come back with it."""
    return random.choice([name for name in ERRNOS if name != old])


def _other(random: Random, old: Any, former: Any, world: World) -> Any:
    """Return another value of the same type; :data:`ABSENT` where there is none."""
    if isinstance(old, bool):
        return not old
    if isinstance(old, int):
        return old + random.choice(_DISTANCES)
    if isinstance(old, str):
        return f"{old}?"
    if isinstance(old, bytes):
        if not old:
            return b"\0"
        at = random.randrange(len(old))
        return old[:at] + bytes([old[at] ^ 1 << random.randrange(8)]) + old[at + 1 :]
    if isinstance(old, Ref):
        others = sorted((ref for ref in world.objects if ref.kind == old.kind and ref != old), key=str)
        return random.choice(others) if others else Ref(old.kind, f"{old.kind}999999")
    if old is None:
        return former if former is not ABSENT and former is not None else 0
    return former if former is not ABSENT and former != old else ABSENT
