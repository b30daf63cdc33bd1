"""Tell what a step changed, field by field, from the two Worlds around it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ktrace.state.compare import ABSENT, differ, label
from ktrace.state.naming import STRUCTURAL
from ktrace.state.ref import Ref
from ktrace.state.world import World


@dataclass(frozen=True, slots=True)
class Change:
    """One field that a step changed.

    :param ref: the object
    :param path: of the field inside it; empty where the object is new or gone
    :param before: :data:`ABSENT` where there was none
    :param after: :data:`ABSENT` where there is none
    """

    ref: Ref
    path: str
    before: Any
    after: Any

    @property
    def label(self) -> str:
        """Return the object's name for people."""
        return label(self.ref)


def changes(before: World, after: World) -> Iterator[Change]:
    """Yield every change from *before* to *after*, objects in the order of their names."""
    old, new = before.objects, after.objects
    differing = [ref for ref, value in new.items() if old.get(ref, ABSENT) is not value]
    differing += [ref for ref in old if ref not in new]
    for ref in sorted(differing, key=lambda ref: (ref.kind, len(str(ref.key)), str(ref.key))):
        known, value = old.get(ref, ABSENT), new.get(ref, ABSENT)
        if known is ABSENT or value is ABSENT:
            yield Change(ref, "", known, value)
        elif known != value:
            for item in differ("", value, known):
                if _renamed(item.expected) and _renamed(item.observed):
                    continue
                yield Change(ref, item.path.removeprefix("."), item.expected, item.observed)


def _renamed(value: Any) -> bool:
    """Tell whether *value* is a name that holds within one World only: another name there is no change."""
    return isinstance(value, Ref) and value.kind in STRUCTURAL
