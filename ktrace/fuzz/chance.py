"""Chance with a seed: the only source of randomness that generators have."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_LENGTH = 13
CORE = 10.0
"""Weight from which on an entry is what its table is about."""


class Chance:
    """Make choices that depend on *seed* alone.

    :param seed: text or number; two with the same seed make the same choices in the same order
    """

    def __init__(self, seed: int | str) -> None:
        self._random = random.Random(str(seed))

    def chance(self, probability: float) -> bool:
        """Tell true with *probability*."""
        return self._random.random() < probability

    def one(self, items: Sequence[T]) -> T:
        """Return one of *items*, all equally likely."""
        return items[int(self._random.random() * len(items))]

    def weighted(self, items: Sequence[tuple[float, T]]) -> T:
        """Return one of *items*, each as likely as its weight says."""
        left = self._random.random() * sum(weight for weight, _ in items)
        for weight, item in items:
            left -= weight
            if left < 0:
                return item
        return items[-1][1]

    def integer(self, low: int, high: int) -> int:
        """Return a number from *low* to *high*, both included."""
        return low + int(self._random.random() * (high - low + 1))

    def some(self, items: Sequence[T], least: int = 0, most: int | None = None) -> list[T]:
        """Return between *least* and *most* different ones of *items*, in any order; all where there are too few."""
        pool = list(items)
        count = self.integer(min(least, len(pool)), len(pool) if most is None else min(most, len(pool)))
        return [pool.pop(self.integer(0, len(pool) - 1)) for _ in range(count)]

    def around(self, *marks: int, low: int = 0, high: int = 1 << 62) -> int:
        """Return a number at one of *marks*, or next to it, inside *low* to *high*."""
        number = self.one(marks) + self.one((0, 0, 0, -1, 1))
        return max(low, min(high, number))

    def flags(self, probability: float, *bits: int) -> int:
        """Return the bits that came up, each with *probability*."""
        value = 0
        for bit in bits:
            if self.chance(probability):
                value |= bit
        return value


def pattern(number: int, length: int) -> bytes:
    """Return *length* bytes that belong to step *number*.

    The unit's length is a prime: no two pages, and no two places within 13 bytes, hold the same.
    """
    unit = b"%06d-abcdef" % (number % 1_000_000)
    return (unit * (length // _LENGTH + 1))[:length]


def swarm(choose: Chance, table: Sequence[tuple[float, T]], off: float = 0.15) -> list[tuple[float, T]]:
    """Return *table* with some entries left out and some made likelier.

    A run that lacks features reaches states of the others that an even mix hardly ever does (swarm testing,
    Groce et al. 2012).

    :param off: how likely an entry is left out; those of weight :data:`CORE` never are
    """
    mixed = []
    for weight, item in table:
        factor = 0.0 if choose.chance(off) else choose.one((0.5, 1.0, 1.0, 2.0))
        if weight >= CORE:
            factor = max(factor, 1.0)
        mixed.append((weight * factor, item))
    return mixed if any(weight for weight, _ in mixed) else list(table)
