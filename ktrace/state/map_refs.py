"""Replace the references inside values of this package, visiting only members whose declared type can hold one."""

from __future__ import annotations

import collections.abc
import operator
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from ktrace.errors import KernelLacks
from ktrace.state.ref import Ref
from ktrace.state.unread import Unread

Resolve = Callable[[Ref], Ref]
Renamer = Callable[[Any, Resolve], Any]

_PLAIN = frozenset({int, str, bytes, bool, float, type(None)})


def rename(value: Any, resolve: Resolve) -> Any:
    """Return *value* with every :class:`Ref` inside replaced, in a fixed order of visits.

    :raises TypeError: *value* holds what no World can hold
    """
    cls = value.__class__
    if cls in _PLAIN:
        return value
    if cls is Ref:
        return resolve(value)
    if cls is tuple:
        return tuple([rename(item, resolve) for item in value])
    if is_dataclass(value):
        renamer = _of_class(cls)
        return value if renamer is None else renamer(value, resolve)
    if isinstance(value, Mapping):
        return {rename(key, resolve): rename(item, resolve) for key, item in _in_order(value)}
    if isinstance(value, frozenset):
        return frozenset(rename(item, resolve) for item in sorted(value, key=repr))
    raise TypeError(f"a World cannot hold {cls.__name__!r}")


_BY_CLASS: dict[type, Renamer | None] = {}


def _of_class(cls: type) -> Renamer | None:
    """Return what renames a dataclass; ``None`` where no member of it can hold a reference."""
    if cls not in _BY_CLASS:
        _BY_CLASS[cls] = rename  # a class that holds itself
        _BY_CLASS[cls] = _compile(cls)
    return _BY_CLASS[cls]


def _compile(cls: type) -> Renamer | None:
    hints = typing.get_type_hints(cls)
    names = [field.name for field in fields(cls)]
    plan = [(index, renamer) for index, name in enumerate(names) if (renamer := _of_hint(hints[name])) is not None]
    if not plan:
        return None
    if len(names) == 1:
        (_, only), name = plan[0], names[0]
        return lambda value, resolve: cls(_unless_unread(only, getattr(value, name), resolve))
    members = operator.attrgetter(*names)

    def renamed(value: Any, resolve: Resolve) -> Any:
        values = list(members(value))
        try:
            for index, inner in plan:
                values[index] = inner(values[index], resolve)
        except (AttributeError, KernelLacks):  # a member could not be read
            values = list(members(value))
            for index, inner in plan:
                values[index] = _unless_unread(inner, values[index], resolve)
        return cls(*values)

    return renamed


def _unless_unread(renamer: Renamer, value: Any, resolve: Resolve) -> Any:
    """Rename *value*, unless it could not be read of this kernel, whatever else its member may be."""
    return value if isinstance(value, Unread) else renamer(value, resolve)


def _of_hint(hint: Any) -> Renamer | None:
    """Return what renames a value of a declared type; ``None`` where it cannot hold a reference."""
    if hint in _PLAIN:
        return None
    if hint is Ref:
        return lambda value, resolve: resolve(value)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _of_union(arguments)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        item = _of_hint(arguments[0])
        return None if item is None else _tuple_of(item)
    if origin is tuple or origin is frozenset:
        return None if all(_of_hint(argument) is None for argument in arguments) else rename
    if origin in (dict, collections.abc.Mapping):
        key, item = map(_of_hint, arguments)
        if key is not None:
            return rename
        return None if item is None else _mapping_to(item)
    if isinstance(hint, type) and is_dataclass(hint):
        return _of_class(hint)
    return rename


def _of_union(arguments: tuple[Any, ...]) -> Renamer | None:
    inner = [renamer for argument in arguments if (renamer := _of_hint(argument)) is not None]
    if not inner:
        return None
    if len(inner) == 1 and len(arguments) == 2 and type(None) in arguments:
        (only,) = inner
        return lambda value, resolve: None if value is None else only(value, resolve)
    return rename


def _tuple_of(item: Renamer) -> Renamer:
    return lambda value, resolve: tuple([item(inner, resolve) for inner in value]) if value else value


def _mapping_to(item: Renamer) -> Renamer:
    def renamer(value: Mapping[Any, Any], resolve: Resolve) -> Any:
        return {key: item(inner, resolve) for key, inner in sorted(value.items())}

    return renamer


def _in_order(value: Mapping[Any, Any]) -> Any:
    """Return the items in an order that both sides share: references as they come, other keys sorted."""
    return value.items() if any(key.__class__ is Ref for key in value) else sorted(value.items())
