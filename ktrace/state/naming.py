"""Give raw references final names, the same way for a kernel's memory and for a model.

A kernel names its objects by address, the model by serial number. Neither can be compared. Both are
walked from the same roots (the references that have a final name already) in the same order, and every
object met for the first time gets the next free name of its kind. Two Worlds are then equal exactly
when their graphs are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from ktrace.state.map_refs import rename
from ktrace.state.ref import Ref
from ktrace.state.world import World

STRUCTURAL = frozenset({"page"})
"""Kinds whose names hold within one World only: a page freed and taken again in one step keeps its
address, so identity over time cannot be told from memory."""


class Namer:
    """Name the objects of a series of Worlds; an object keeps its name for as long as it lives.

    :ivar fresh: what the last World was the first to mention: raw key by final name
    """

    def __init__(self) -> None:
        self.fresh: dict[Ref, int] = {}
        self._names: dict[Ref, Ref] = {}
        self._next: dict[str, int] = {}
        self._renamed: dict[Ref, _Renamed] = {}
        self._roots: _Roots = ((), [])

    def names(self) -> Mapping[Ref, Ref]:
        """Return the names that the last World has, by raw reference."""
        return self._names

    @property
    def addresses(self) -> dict[Ref, int]:
        """The raw keys of what the last World mentioned, by final names."""
        return {named: raw.key for raw, named in self._names.items() if not isinstance(raw.key, str)}

    def adopt(self, fresh: Mapping[Ref, int], world: World | None = None) -> None:
        """Know the names that another namer gave, in the order in which it did.

        :param world: the last that it named; what is not in it is gone, and its address may come again
        """
        for named, key in fresh.items():
            self._names[Ref(named.kind, key)] = named
            number = int(str(named.key).removeprefix(named.kind))
            self._next[named.kind] = max(number, self._next.get(named.kind, 0))
        if world is not None:
            mentioned = set(world.objects)

            def note(ref: Ref) -> Ref:
                mentioned.add(ref)
                return ref

            for value in world.objects.values():
                rename(value, note)
            self._names = {raw: named for raw, named in self._names.items() if named in mentioned}
        self._roots = ((), [])

    def name(self, world: World) -> World:
        """Return *world* with every raw reference replaced by its final name."""
        objects = world.objects
        known = self._names
        kept: dict[Ref, Ref] = {}  # what this World mentions; the rest is forgotten
        local: dict[str, int] = {}
        fresh: dict[Ref, int] = {}

        def resolve(ref: Ref) -> Ref:
            if isinstance(ref.key, str):
                return ref
            named = kept.get(ref)
            if named is None:
                named = known.get(ref)
                if named is None:
                    numbers = local if ref.kind in STRUCTURAL else self._next
                    numbers[ref.kind] = number = numbers.get(ref.kind, 0) + 1
                    named = Ref(ref.kind, f"{ref.kind}{number}")
                    if numbers is not local:
                        fresh[named] = ref.key
                    queue.append(ref)
                kept[ref] = named
            return named

        # Objects that have a name already are the roots, in the order of their names, so that the
        # walk does not depend on addresses.
        roots, waiting = self._find_roots(objects)
        queue: list[Ref] = []
        result: dict[Ref, Any] = {}
        renamed: dict[Ref, _Renamed] = {}
        last_renamed = self._renamed
        for _, named, raw in roots:
            if named is not raw:
                kept[raw] = named
            value = objects[raw]
            entry = last_renamed.get(raw)
            if entry is not None and entry.lasting is not None and (entry.value is value or entry.value == value):
                # Nothing new in it, and its references were named for good: they are roots already.
                kept.update(entry.lasting)
            else:
                entry = self._rename(raw, value, resolve)
            renamed[raw] = entry
            result[named] = entry.result
        done = 0
        while True:
            while done < len(queue):
                raw = queue[done]
                done += 1
                if raw in objects:
                    renamed[raw] = entry = self._rename(raw, objects[raw], resolve)
                    result[resolve(raw)] = entry.result
            waiting = [ref for ref in waiting if ref not in kept]
            if not waiting:
                break
            # Nothing reaches these: the order of their contents is the only one both sides share.
            resolve(min(waiting, key=lambda ref: (ref.kind, _content(objects[ref]))))
        self._names = {raw: named for raw, named in kept.items() if raw.kind not in STRUCTURAL}
        self._renamed = renamed
        self.fresh = fresh
        return World(result)

    def _find_roots(self, objects: Mapping[Ref, Any]) -> tuple[list[_Root], list[Ref]]:
        """Return the objects that have a name already, in the order of their names, and the others."""
        known = self._names
        raws = (*objects,)
        if raws == self._roots[0]:
            return self._roots[1], []  # each had its name when these were looked for last, and keeps it
        roots: list[_Root] = []
        waiting: list[Ref] = []
        for raw in raws:
            named = raw if raw.key.__class__ is str else known.get(raw)
            if named is None:
                waiting.append(raw)
            else:
                roots.append((_order(named), named, raw))
        roots.sort(key=itemgetter(0))
        self._roots = ((), []) if waiting else (raws, roots)
        return roots, waiting

    def _rename(self, raw: Ref, value: Any, resolve: Callable[[Ref], Ref]) -> _Renamed:
        """Rename one object, or take what came of it last time if nothing in it has changed since."""
        last = self._renamed.get(raw)
        unchanged = last is not None and (last.value is value or last.value == value)
        if last is not None and unchanged and [resolve(ref) for ref in last.refs] == last.names:
            return last
        refs: list[Ref] = []

        def noting(ref: Ref) -> Ref:
            if not _final(ref):
                refs.append(ref)
            return resolve(ref)

        result = rename(value, noting)
        names = [resolve(ref) for ref in refs]
        lasting = None if any(ref.kind in STRUCTURAL for ref in refs) else dict(zip(refs, names, strict=True))
        return _Renamed(value, refs, names, result, lasting)


_Root = tuple[tuple[str, int, str], Ref, Ref]
"""By what it is sorted, final name, raw reference."""
_Roots = tuple[tuple[Ref, ...], list[_Root]]


class _Renamed(NamedTuple):
    """What an object was, the raw references in it in the order of their visit, and what became of them.

    *lasting* holds the references by their names where none of them is structural.
    """

    value: Any
    refs: list[Ref]
    names: list[Ref]
    result: Any
    lasting: dict[Ref, Ref] | None


def _final(ref: Ref) -> bool:
    return isinstance(ref.key, str)


@lru_cache(1 << 14)
def _order(ref: Ref) -> tuple[str, int, str]:
    key = str(ref.key)
    return (ref.kind, len(key), key)


def _content(value: Any) -> str:
    return repr(rename(value, lambda ref: ref if isinstance(ref.key, str) else Ref(ref.kind, "?")))
