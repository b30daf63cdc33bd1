"""Compare an observed value with an expected one and name every field that differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
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
    if observed.objects == expected.objects:
        return []
    differences: list[Difference] = []
    for ref in sorted(observed.objects.keys() | expected.objects.keys(), key=lambda ref: (ref.kind, str(ref.key))):
        seen = observed.objects.get(ref, ABSENT)
        wanted = expected.objects.get(ref, ABSENT)
        if seen is not wanted:
            differences.extend(differ(label(ref), seen, wanted))
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
        for field in fields(expected):
            yield from differ(f"{path}.{field.name}", getattr(observed, field.name), getattr(expected, field.name))
    elif isinstance(expected, Mapping):
        for key in sorted(observed.keys() | expected.keys(), key=str):
            yield from differ(f"{path}[{key}]", observed.get(key, ABSENT), expected.get(key, ABSENT))
    elif isinstance(expected, tuple) and not hasattr(expected, "_fields"):
        for index in range(max(len(observed), len(expected))):
            seen = observed[index] if index < len(observed) else ABSENT
            wanted = expected[index] if index < len(expected) else ABSENT
            yield from differ(f"{path}[{index}]", seen, wanted)
    elif observed != expected:
        yield Difference(path, observed, expected)


def count_fields(value: Any) -> int:
    """Count the leaf fields that a comparison of *value* looks at."""
    if is_dataclass(value) and not isinstance(value, type):
        return sum(count_fields(getattr(value, field.name)) for field in fields(value))
    if isinstance(value, Mapping):
        return sum(count_fields(item) for item in value.values())
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return sum(count_fields(item) for item in value)
    return 1
