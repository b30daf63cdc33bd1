"""What two kernels differ in, as the model is told of it: known changes, and single facts of subsystems."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from ktrace.state.change import Change
from ktrace.state.changes import Changes, changes
from ktrace.state.config import ConfigFacts

Facts = Mapping[str, Any]
_Place = tuple[tuple[bool, Any], ...]
"""Where a fact is: whether each part of the way is the key of a mapping, else the name of a member."""
_LACKED: Any = None


@dataclass(frozen=True)
class Fact:
    """One thing that the model is told otherwise of two kernels.

    :param name: of a known change, else of a fact such as ``socket.sysctl[core/rmem_max]``
    :param change: what is known of it, ``None`` where it is but a setting or a state of the kernel
    :param one: its value on the one kernel, for people; *other* on the other
    :param places: what changes with it in what the model is told
    """

    name: str
    change: Change | None
    one: str
    other: str
    places: tuple[_Place, ...]


def facts_that_differ(one: Facts, other: Facts) -> tuple[Fact, ...]:
    """Return what the model is told otherwise of two kernels: known changes first, then everything else."""
    one, other = whole(one), whole(other)
    differing = {_named(place): (place, here, there) for place, here, there in _leaves(one, other, ())}
    found: list[Fact] = []
    for name, change in changes():
        own = [f"changes.{name}", *change.facts]
        taken = [differing.pop(item) for item in own if item in differing]
        if not taken:
            continue
        here, there = getattr(one["changes"], name), getattr(other["changes"], name)
        found.append(Fact(name, change, _said(here), _said(there), tuple(place for place, _, _ in taken)))
    for name, (place, here, there) in differing.items():
        found.append(Fact(name, None, str(here), str(there), (place,)))
    return tuple(found)


def facts_with(one: Facts, other: Facts, flipped: Collection[Fact]) -> Facts:
    """Return what the model is told of *one*, with *flipped* as they are on *other*."""
    found: Any = whole(one)
    there = whole(other)
    for fact in flipped:
        for place in fact.places:
            found = _taken(found, there, place)
    return dict(found)


def whole(facts: Facts) -> Facts:
    """Return *facts* with those that sessions of before do not have."""
    return {"changes": Changes(), "config": ConfigFacts(), **facts}


def _leaves(one: Any, other: Any, place: _Place) -> Iterator[tuple[_Place, Any, Any]]:
    if type(one) is type(other) and is_dataclass(one) and not isinstance(one, type):
        for item in fields(one):
            here = (*place, (False, item.name))
            yield from _leaves(getattr(one, item.name), getattr(other, item.name), here)
    elif isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in dict.fromkeys((*one, *other)):
            yield from _leaves(one.get(key, _LACKED), other.get(key, _LACKED), (*place, (True, key)))
    elif one != other:
        yield place, one, other


def _taken(one: Any, other: Any, place: _Place) -> Any:
    """Return *one* with what is at *place* as *other* has it."""
    if not place:
        return other
    (is_key, name), rest = place[0], place[1:]
    if not is_key:
        return replace(one, **{name: _taken(getattr(one, name), getattr(other, name), rest)})
    changed = dict(one)
    if name in other:
        changed[name] = _taken(one.get(name, _LACKED), other[name], rest) if rest else other[name]
    else:
        changed.pop(name, None)
    return changed


def _named(place: _Place) -> str:
    """Write where a fact is, such as ``socket.sysctl[core/rmem_max]``."""
    first, *rest = place
    return str(first[1]) + "".join(f"[{name}]" if is_key else f".{name}" for is_key, name in rest)


def _said(value: bool | None) -> str:
    return "cannot be told" if value is None else "yes" if value else "no"
