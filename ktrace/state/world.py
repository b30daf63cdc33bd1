"""The World: every kernel object that a workload can see, at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from ktrace.state.quick import dataclass
from ktrace.state.ref import Ref


@dataclass(frozen=True, slots=True)
class World:
    """Hold the objects of one moment, each a frozen dataclass of this package.

    Objects point at each other with :class:`Ref` only, so a World is flat: two of them are
    compared object by object, and what a step changed is the set of objects that differ.
    """

    objects: Mapping[Ref, Any] = field(default_factory=dict)

    def of_kind(self, kind: str) -> dict[Ref, Any]:
        """Return the objects of one *kind*, by reference."""
        return {ref: value for ref, value in self.objects.items() if ref.kind == kind}

    def changed_since(self, before: World) -> tuple[dict[Ref, Any], tuple[Ref, ...]]:
        """Return the objects that are new or differ from *before*, and the references that are gone."""
        old = before.objects
        # What has not changed is most often the same object, which is seen sooner than that it is equal.
        changed = {
            ref: value
            for ref, value in self.objects.items()
            if (before_it := old.get(ref)) is not value and before_it != value
        }
        return changed, tuple(ref for ref in old if ref not in self.objects)

    def apply(self, changed: Mapping[Ref, Any], gone: tuple[Ref, ...]) -> World:
        """Return this World with a change applied, the inverse of :meth:`changed_since`."""
        objects = {ref: value for ref, value in self.objects.items() if ref not in gone}
        objects.update(changed)
        return World(objects)
