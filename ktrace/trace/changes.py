"""Tell what a step changed, field by field, from the two Worlds around it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ktrace.state.compare import ABSENT, differ, label
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
    """Yield every change from *before* to *after*: new objects, changed fields, objects gone."""
    old = before.objects
    for ref, value in after.objects.items():
        known = old.get(ref, ABSENT)
        if known is ABSENT:
            yield Change(ref, "", ABSENT, value)
        elif known is not value and known != value:
            for item in differ("", value, known):
                yield Change(ref, item.path.removeprefix("."), item.expected, item.observed)
    for ref, value in old.items():
        if ref not in after.objects:
            yield Change(ref, "", value, ABSENT)
