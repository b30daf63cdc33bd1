"""Whether the members of a value have the types that its class says, as far as those are plain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from ktrace.state.unread import Unread

_PLAIN: dict[str, type] = {"int": int, "bool": bool, "str": str, "bytes": bytes}


def misfits(value: Any, name: str) -> Iterator[str]:
    """Yield what in *value* is of another type than its class says, each as a line.

    :param value: of a class of ``ktrace.state``
    :param name: what *value* is called
    """
    for field in fields(value):
        yield from _misfits(getattr(value, field.name), str(field.type), f"{name}.{field.name}")


def _misfits(value: Any, declared: str, name: str) -> Iterator[str]:
    """Yield likewise for a value that is declared so: plain, a class, a tuple or mapping of such, or ``None``.

    What a kernel has no member for fits everywhere: whatever depends on it says so.
    """
    if isinstance(value, Unread):
        return
    if declared.endswith(" | None"):
        if value is None:
            return
        declared = declared.removesuffix(" | None")
    holder, _, inside = declared.partition("[")
    inner = _parts(inside.removesuffix("]"))
    if holder == "tuple":
        if not isinstance(value, tuple) or (inner[-1] != "..." and len(value) != len(inner)):
            yield f"{name} is no {declared}"
            return
        for number, item in enumerate(value):
            yield from _misfits(item, inner[0] if inner[-1] == "..." else inner[number], f"{name}[{number}]")
    elif holder == "Mapping":
        if not isinstance(value, Mapping):
            yield f"{name} is no {declared}"
            return
        for key, item in value.items():
            yield from _misfits(key, inner[0], f"a key of {name}")
            yield from _misfits(item, inner[1], f"{name}[{key!r}]")
    elif (plain := _PLAIN.get(declared)) is not None:
        if not isinstance(value, plain):
            yield f"{name} is no {declared}"
    elif declared.isidentifier() and declared not in ("Any", "object"):
        if not is_dataclass(value) or type(value).__name__ != declared:
            yield f"{name} is no {declared}"
            return
        yield from misfits(value, name)


def _parts(inside: str) -> list[str]:
    """Return what stands between the commas of ``tuple[...]``, whatever has brackets of its own whole."""
    parts, depth = [""], 0
    for sign in inside:
        depth += {"[": 1, "]": -1}.get(sign, 0)
        if sign == "," and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts]
