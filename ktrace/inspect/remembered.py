"""Remember decoded structures, each for as long as the bytes that it depends on are the same."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.memory import KernelMemory, Place

T = TypeVar("T")

LIMIT = 1 << 16
"""Objects that one reader remembers; a guest's kernel has fewer."""


class Remembered(Generic[T]):
    """Keep the values that one reader decoded, each with the places that it depends on.

    A value is found again for as long as every one of its places has the same bytes. So a part-reader returns the
    places with its value, and ``None`` for places where the value depends on more than bytes at known addresses:
    on a queue that may be changed in the middle, or on what another reader adds to the World.
    """

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[T, Sequence[Place]]] = {}

    def find(self, memory: KernelMemory, key: Hashable) -> T | None:
        """Return the value that was kept as *key* if all that it depends on is as it was."""
        known = self._known.get(key)
        if known is None:
            return None
        value, places = known
        try:
            return value if memory.holds(places) else None
        except CorruptStructure:
            return None  # what was mapped there is not any more

    def keep(self, key: Hashable, value: T, places: Sequence[Place] | None) -> T:
        """Keep *value*, which depends on *places*, in place of what was kept as *key*; return it.

        :param places: that which changes most often first; ``None`` to keep nothing
        """
        if places is None:
            self._known.pop(key, None)
        else:
            if len(self._known) >= LIMIT:
                self._known.clear()
            self._known[key] = (value, places)
        return value
