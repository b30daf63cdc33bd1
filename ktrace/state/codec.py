"""Write values of this package as JSON and read them back, without loss."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Container, Mapping
from dataclasses import fields, is_dataclass
from functools import cache, lru_cache
from typing import Any

from ktrace.errors import UsageError
from ktrace.state import aliases
from ktrace.state.ref import Ref

# One key each, so that a reader sees at once what an object stands for.
_TYPE, _REF, _BYTES, _RUN, _MAP, _TUPLE_KEY = "$", "$ref", "$bytes", "$run", "$map", "$t"

Encoder = Callable[[Any], Any]

_RUN_LENGTH = 64
"""A payload of one repeated byte is written as a run from this length on."""


def encode(value: Any) -> Any:
    """Return *value* as what ``json.dumps`` takes.

    :raises TypeError: *value* holds something that is not a value of this package
    """
    encoder = _ENCODERS.get(value.__class__) or _encoder(value.__class__)
    return encoder(value)


def _encoder(cls: Any) -> Encoder:
    """Return what encodes values of a class, and remember it.

    :raises TypeError: they are not values of this package
    """
    encoder: Encoder
    if is_dataclass(cls):
        encoder = _of_dataclass(cls)
    elif issubclass(cls, Mapping):
        encoder = _encode_mapping
    elif issubclass(cls, frozenset):
        encoder = _encode_set
    else:
        raise TypeError(f"cannot write {cls.__name__!r} into a session")
    _ENCODERS[cls] = encoder
    return encoder


def _of_dataclass(cls: Any) -> Encoder:
    """Return what encodes the members of a dataclass one after the other, written out: most are plain."""
    members = "".join(
        f", {field.name!r}: item if (item := value.{field.name}).__class__ in plain else encode(item)"
        for field in fields(cls)
    )
    made: dict[str, Any] = {"plain": _PLAIN, "encode": encode}
    exec(f"def encoder(value): return {{{_TYPE!r}: {_type_name(cls)!r}{members}}}", made)
    encoder: Encoder = made["encoder"]
    return encoder


def _encode_ref(value: Ref) -> Any:
    return {_REF: f"{value.kind}:{value.key}"}


def _encode_bytes(value: bytes) -> Any:
    if len(value) >= _RUN_LENGTH and value.count(value[:1]) == len(value):
        return {_RUN: [value[0], len(value)]}
    return {_BYTES: value.decode("latin-1")}


def _encode_items(value: Any) -> Any:
    return [item if item.__class__ in _PLAIN else encode(item) for item in value]


def _encode_mapping(value: Mapping[Any, Any]) -> Any:
    if set(map(type, value)) <= {str}:
        return {key: item if item.__class__ in _PLAIN else encode(item) for key, item in value.items()}
    return {_MAP: [[encode(key), encode(item)] for key, item in value.items()]}


def _encode_set(value: frozenset[Any]) -> Any:
    return {_TYPE: "frozenset", "items": [encode(item) for item in sorted(value)]}


def decode(value: Any) -> Any:
    """Return the value that :func:`encode` was given; lists come back as tuples.

    :raises UsageError: *value* names a type that this version does not have
    """
    cls = value.__class__
    # Most of what is in a value is plain: it is not worth a call.
    if cls is list:
        return tuple([item if item.__class__ in _PLAIN else decode(item) for item in value])
    if cls is not dict:
        return value
    name = value.get(_TYPE)
    if name is None:
        return _decode_bare(value)
    if name == "frozenset":
        return frozenset(decode(value["items"]))
    made, members, gone = _type_called(name)
    if members is not None:
        value = {members.get(key, key): item for key, item in value.items() if key not in gone}
    arguments = {key: item if item.__class__ in _PLAIN else decode(item) for key, item in value.items()}
    del arguments[_TYPE]
    try:
        return made(**arguments)
    except TypeError as error:
        raise UsageError(
            f"a recorded {name!r} does not fit: {error}", "it was recorded by another version of ktrace"
        ) from error


def _decode_bare(value: dict[str, Any]) -> Any:
    """Return the value of an object that names no type."""
    if _REF in value:
        return _ref(value[_REF])
    if _BYTES in value:
        return value[_BYTES].encode("latin-1")
    if _RUN in value:
        byte, length = value[_RUN]
        return bytes([byte]) * length
    if _MAP in value:
        return {decode(key): decode(item) for key, item in value[_MAP]}
    return {key: item if item.__class__ in _PLAIN else decode(item) for key, item in value.items()}


@lru_cache(1 << 16)
def _ref(written: str) -> Ref:
    """Return the reference that is *written* so: one object for all its mentions."""
    kind, _, key = written.partition(":")
    return Ref(kind, key)


@lru_cache(1 << 10)
def _type_called(name: str) -> tuple[type, Mapping[Any, str] | None, Container[Any]]:
    """Return the type that a session calls *name*, and today's names of its members where some had others or are gone.

    The members that are gone come last.

    :raises UsageError: there is none
    """
    cls = _types().get(aliases.TYPES.get(name, name))
    if cls is None:
        raise UsageError(f"unknown type {name!r} in a recorded trace", "it was recorded by another version of ktrace")
    gone = aliases.GONE.get(name, frozenset())
    return cls, aliases.MEMBERS.get(name, {} if gone else None), gone


def types() -> tuple[type, ...]:
    """Return every dataclass of ``ktrace.state``."""
    return tuple(_types().values())


_PLAIN: frozenset[type] = frozenset({int, str, bool, float, type(None)})

_ENCODERS: dict[type, Encoder] = {
    **dict.fromkeys(_PLAIN, lambda value: value),
    Ref: _encode_ref,
    bytes: _encode_bytes,
    tuple: _encode_items,
    list: _encode_items,
    dict: _encode_mapping,
}
"""By class; of others they are added when they are needed."""


@cache
def _type_name(cls: type) -> str:
    """Return ``module.Class``: two subsystems may well use the same word."""
    return f"{cls.__module__.rpartition('.')[2]}.{cls.__name__}"


@cache
def _types() -> dict[str, type]:
    """Return every dataclass of ``ktrace.state`` by its name in a trace."""
    package = importlib.import_module("ktrace.state")
    found: dict[str, type] = {}
    for info in pkgutil.walk_packages(package.__path__, "ktrace.state."):
        module = importlib.import_module(info.name)
        for value in vars(module).values():
            if isinstance(value, type) and is_dataclass(value) and value.__module__ == module.__name__:
                name = _type_name(value)
                if name in found:
                    raise ValueError(f"two types of the World are called {name!r}")
                found[name] = value
    return found
