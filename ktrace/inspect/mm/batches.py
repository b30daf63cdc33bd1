"""Pages on their way between LRU lists, each held by the batch that it lies in (``mm/swap.c: struct cpu_fbatches``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import drgn
from drgn.helpers.linux.percpu import per_cpu_ptr

from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.memory import KernelMemory, Place

VARIABLES = ("cpu_fbatches", "lru_rotate", "mlock_fbatch", "mlock_pvec")
"""Per-CPU variables with batches in them; kernels have some of them."""
ARRAYS = ("folios", "pages")
"""Where a batch has what it holds (``struct folio_batch``, ``struct pagevec``)."""
_WORD = 8
_FLAGS = 3
"""Bits of a pointer in ``mlock_pvec`` that say what the page is for (``mm/mlock.c: LRU_FOLIO, NEW_FOLIO``)."""


class LruBatches:
    """Tell which pages the batches of the first CPU hold.

    :ivar known: this kernel has them where they are looked for
    """

    def __init__(self, kernel: LiveKernel) -> None:
        self._arrays: list[tuple[int, int, int]] = []
        for name in VARIABLES:
            if name in kernel.prog:
                variable = per_cpu_ptr(kernel.prog[name].address_of_(), 0)
                self._arrays += _batches(variable.value_(), variable.type_.type)
        self.known = any(name in kernel.prog for name in VARIABLES[:1]) and bool(self._arrays)

    def held(self, memory: KernelMemory) -> tuple[Mapping[int, int], list[Place]]:
        """Return how often each ``struct page`` lies in a batch, and the places in memory that say so."""
        found: Counter[int] = Counter()
        places: list[Place] = []
        for number_at, array_at, size in self._arrays:
            number = memory.read(number_at, 1)
            data = memory.read(array_at, size * _WORD)
            places += [(number_at, number), (array_at, data)]
            for index in range(min(number[0], size)):
                found[int.from_bytes(data[index * _WORD : (index + 1) * _WORD], "little") & ~_FLAGS] += 1
        return found, places


def _batches(address: int, type_: Any) -> Iterator[tuple[int, int, int]]:
    """Yield for each batch in a variable of *type_* where its number and its array are, and the array's length."""
    while type_.kind == drgn.TypeKind.TYPEDEF:
        type_ = type_.type
    if type_.kind != drgn.TypeKind.STRUCT:
        return
    members = {member.name: member for member in type_.members or ()}
    array = next((name for name in ARRAYS if name in members), None)
    if "nr" in members and array is not None:
        places = (address + members[name].bit_offset // 8 for name in ("nr", array))
        yield (*places, members[array].type.length)
        return
    for member in members.values():
        yield from _batches(address + member.bit_offset // 8, member.type)
