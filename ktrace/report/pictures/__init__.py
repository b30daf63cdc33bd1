"""Pictures of kernel objects as lines of text: pure functions of one World, or of two to show what changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from rich.text import Text

from ktrace.report.pictures import msg, pipe, sem, shm, socket, undo
from ktrace.report.pictures.touched import touched
from ktrace.state.compare import label
from ktrace.state.ipc.sem import SemUndo
from ktrace.state.net.socket import Socket
from ktrace.state.ref import Ref
from ktrace.state.step import Step
from ktrace.state.world import World

Painter = Callable[[World, Ref, World | None], list[Text]]

PAINTERS: Mapping[str, Painter] = {
    "pipe": pipe.picture,
    "sem": sem.picture,
    "msg": msg.picture,
    "shm": shm.picture,
    "undo_list": undo.picture,
    "sock": socket.picture,
}
"""Who draws which kind of object."""


def picture(world: World, ref: Ref, before: World | None = None) -> list[Text]:
    """Draw *ref*; nothing where its kind has no picture.

    :param before: the World of the step before; what changed since stands out
    """
    painter = PAINTERS.get(ref.kind)
    return painter(world, ref, before) if painter is not None and ref in world.objects else []


def subject(world: World, ref: Ref) -> Ref | None:
    """Return the object in whose picture *ref* is seen: a connection's first end, an undo's semaphore set."""
    value = world.objects.get(ref)
    if isinstance(value, Socket):
        return subject(world, value.sk) if value.sk is not None else None
    if isinstance(value, SemUndo):
        return next((name for name, item in world.of_kind("sem").items() if ref in item.list_id), None)
    if ref.kind not in PAINTERS or value is None:
        return None
    if ref.kind == "sock":
        other = socket.peer(world, ref)
        # A one-way connection is drawn from the end that made it.
        if other is not None and socket.peer(world, other) == ref:
            return min(ref, other, key=_order)
    return ref


def subjects(world: World, refs: Iterable[Ref]) -> Iterator[Ref]:
    """Yield what to draw so that each of *refs* that has a picture is seen, once each, in the order of names."""
    found = {name for ref in refs if (name := subject(world, ref)) is not None}
    # What lists owe is in the pictures of the sets already.
    yield from sorted((name for name in found if name.kind != "undo_list"), key=_order)


def involved(step: Step, before: World) -> Iterator[Ref]:
    """Yield what to draw to show *step*: what its call names, what it changed, and what it opened, closed or attached.

    :param before: the World of the step before
    """
    world, old = step.world, before.objects
    changed = [ref for ref, value in world.objects.items() if old.get(ref) is not value and old.get(ref) != value]
    lost = [ref for ref in old if ref not in world.objects]
    refs = [*changed, *touched(before, step.actor, step.call)]
    for ref in (*changed, *lost):
        if ref.kind == "process":
            refs += [mapping.segment for mapping in _mappings(world, before, ref)]
        elif ref.kind == "file":
            refs.append((world.objects.get(ref) or old[ref]).target)
    yield from subjects(world, refs)


def gone(world: World, before: World) -> list[str]:
    """Return the names of the objects with a picture that the step ended."""
    lost = [
        ref for ref in before.objects if ref not in world.objects and ref.kind in PAINTERS and ref.kind != "undo_list"
    ]
    return [label(ref) for ref in sorted(lost, key=_order)]


def _mappings(world: World, before: World, ref: Ref) -> list[Any]:
    now = getattr(world.objects.get(ref), "mappings", ())
    then = getattr(before.objects.get(ref), "mappings", ())
    return [mapping for mapping in (*now, *then) if (mapping in now) != (mapping in then)]


def _order(ref: Ref) -> tuple[str, int, str]:
    key = str(ref.key)
    return (ref.kind, len(key), key)
