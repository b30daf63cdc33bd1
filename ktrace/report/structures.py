"""Live structures as text: one block an object, one line a member."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import Field, fields, is_dataclass
from typing import Any

from ktrace.state.compare import label
from ktrace.state.ref import Ref
from ktrace.state.world import World
from ktrace.trace.value import short

GROUPS: Mapping[str, tuple[str, ...]] = {
    "pipes": ("pipe",),
    "sem": ("sem",),
    "undo": ("undo_list", "undo"),
    "msg": ("msg",),
    "shm": ("shm",),
    "ipcs": ("ipc_ns",),
    "sockets": ("socket", "sock"),
    "inetsw": ("net",),
    "net_families": ("net",),
    "protocols": ("net",),
    "files": ("fdtable", "file", "inode"),
    "processes": ("process", "user"),
}
"""What ``ktrace inspect`` may be asked for, and the kinds of object that it shows."""


def select(world: World, group: str) -> dict[Ref, Any]:
    """Return the objects of *group* in the order of their names; of ``all``, every one."""
    kinds = [kind for kinds in GROUPS.values() for kind in kinds] if group == "all" else list(GROUPS[group])
    found = [ref for ref in world.objects if ref.kind in kinds]
    found.sort(key=lambda ref: (kinds.index(ref.kind), len(str(ref.key)), str(ref.key)))
    return {ref: world.objects[ref] for ref in found}


def describe(ref: Ref, value: Any) -> Iterator[str]:
    """Yield the lines that show one object: its name, then each member that holds anything."""
    yield label(ref)
    if not is_dataclass(value) or isinstance(value, type):
        yield f"    {short(value)}"
        return
    width = max(len(field.name) for field in fields(value))
    for field in fields(value):
        item = getattr(value, field.name)
        if isinstance(item, Mapping) and item:
            yield f"    {field.name}"
            yield from (f"        [{short(key)}] {short(inner)}" for key, inner in item.items())
        elif isinstance(item, tuple) and any(is_dataclass(inner) for inner in item):
            yield f"    {field.name}"
            yield from (f"        [{index}] {short(inner)}" for index, inner in enumerate(item))
        else:
            yield f"    {field.name:<{width}}  {_shown(field, item)}"


def _shown(field: Field[Any], item: Any) -> str:
    """Return a member's value: a number that nobody read is not NULL, and no flags are 0."""
    kind = str(field.type)
    if item is None and re.search(r"\bint\b|\bbool\b", kind) and "Ref" not in kind:
        return "not read"
    if item == () and kind.startswith("tuple[str"):
        return "0"
    return short(item)
