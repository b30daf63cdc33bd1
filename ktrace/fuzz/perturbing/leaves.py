"""The leaves of an observed value: where they are, and the same value with one of them changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from ktrace.state.ref import Ref
from ktrace.state.unread import Unread

Place = tuple[tuple[str, Any], ...]
"""The way to a leaf: members (``.``), keys and indexes (``[``)."""


def leaves(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Yield every leaf of *value* with its place; a list or mapping without elements is one, too.

    What was not read is none.
    """
    if isinstance(value, Unread):
        return
    if isinstance(value, Ref):
        yield place, value
    elif is_dataclass(value):
        for item in fields(value):
            yield from leaves(getattr(value, item.name), (*place, (".", item.name)))
    elif isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from leaves(item, (*place, ("[", key)))
    elif isinstance(value, tuple) and value:
        for index, item in enumerate(value):
            yield from leaves(item, (*place, ("[", index)))
    else:
        yield place, value


def with_leaf(value: Any, place: Place, leaf: Any) -> Any:
    """Return *value* with *leaf* at *place*."""
    if not place:
        return leaf
    (kind, key), rest = place[0], place[1:]
    if kind == ".":
        return replace(value, **{key: with_leaf(getattr(value, key), rest, leaf)})
    if isinstance(value, Mapping):
        return {**value, key: with_leaf(value[key], rest, leaf)}
    return (*value[:key], with_leaf(value[key], rest, leaf), *value[key + 1 :])


def named(place: Place) -> str:
    """Return the kind of a place: its members and words, without numbers and what objects are called."""
    text = ""
    for kind, key in place:
        word = isinstance(key, str) and key.isidentifier()
        text += f".{key}" if kind == "." or word else "[]"
    return text
