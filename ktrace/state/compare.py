"""Compare an observed value with an expected one and name every field that differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Any

from ktrace.state.allowed import Between, OneOf
from ktrace.state.ref import Ref
from ktrace.state.world import World


class _Absent:
    def __repr__(self) -> str:
        return "absent"


ABSENT = _Absent()
"""Stands on the side that lacks an object, a key or an element."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Name one field on which kernel and model disagree.

    :param path: such as ``pipe1.head`` or ``sem ns1/0.sems[1].semval``
    :param observed: what the kernel holds; :data:`ABSENT` where it has nothing
    :param expected: what the model allows
    """

    path: str
    observed: Any
    expected: Any


def compare(observed: World, expected: World) -> list[Difference]:
    """Return every difference between two Worlds, objects in the order of their names."""
    seen, wanted = observed.objects, expected.objects
    # What holds an allowed set is never equal to what was observed: the walk decides.
    unequal = [ref for ref, value in wanted.items() if (other := seen.get(ref, ABSENT)) is not value and other != value]
    unequal += [ref for ref in seen if ref not in wanted]
    differences: list[Difference] = []
    for ref in sorted(unequal, key=lambda ref: (ref.kind, str(ref.key))):
        differences.extend(differ(label(ref), seen.get(ref, ABSENT), wanted.get(ref, ABSENT)))
    return differences


def label(ref: Ref) -> str:
    """Return an object's name for people: its kind, unless the name starts with it."""
    return str(ref) if str(ref.key).startswith(ref.kind) else f"{ref.kind} {ref.key}"


def differ(path: str, observed: Any, expected: Any) -> Iterator[Difference]:
    """Yield the differences between two values of the same shape."""
    if isinstance(expected, (Between, OneOf)):
        if not expected.admits(observed):
            yield Difference(path, observed, expected)
    elif type(observed) is not type(expected):
        yield Difference(path, observed, expected)
    elif is_dataclass(expected) and not isinstance(expected, type):
        for name in field_names(type(expected)):
            seen, wanted = getattr(observed, name), getattr(expected, name)
            if seen is not wanted and seen != wanted:
                yield from differ(f"{path}.{name}", seen, wanted)
    elif isinstance(expected, Mapping):
        for key in sorted(observed.keys() | expected.keys(), key=str):
            yield from differ(f"{path}[{key}]", observed.get(key, ABSENT), expected.get(key, ABSENT))
    elif isinstance(expected, tuple) and not hasattr(expected, "_fields"):
        for index in range(max(len(observed), len(expected))):
            seen = observed[index] if index < len(observed) else ABSENT
            wanted = expected[index] if index < len(expected) else ABSENT
            if seen is not wanted and seen != wanted:
                yield from differ(f"{path}[{index}]", seen, wanted)
    elif observed != expected:
        yield Difference(path, observed, expected)


def count_fields(value: Any) -> int:
    """Count the leaf fields that a comparison of *value* looks at."""
    cls: Any = value.__class__
    if cls in _LEAVES:
        return 1
    if cls is tuple:
        return sum([count_fields(item) for item in value])
    if cls is dict:
        return sum([count_fields(item) for item in value.values()])
    return sum([count_fields(getattr(value, name)) for name in field_names(cls)]) if is_dataclass(value) else 1


_LEAVES = frozenset({int, str, bytes, bool, type(None), Ref})


@cache
def field_names(cls: type) -> tuple[str, ...]:
    """Return the names of a dataclass's fields."""
    return tuple(field.name for field in fields(cls))
