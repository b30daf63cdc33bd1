"""Walk the hash table of IPC keys (``lib/rhashtable.c``)."""

from __future__ import annotations

import drgn

from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.layout import layout_of
from ktrace.inspect.lib.list import Met
from ktrace.inspect.members import offset_of
from ktrace.inspect.memory import KernelMemory

LIMIT = 1 << 20


class KeyTable:
    """Walk ``ipc_ids.key_ht``: the objects that a key finds (``lib/rhashtable.c``).

    :param prog: for the layouts of the table and of ``kern_ipc_perm.khtnode``
    """

    def __init__(self, prog: drgn.Program) -> None:
        self._table = layout_of(prog, "struct bucket_table", "size", "nest", "future_tbl")
        self._buckets = offset_of(prog, "struct bucket_table", "buckets")
        self._node = offset_of(prog, "struct kern_ipc_perm", "khtnode")

    def objects(self, memory: KernelMemory, table: int) -> list[int]:
        """Return the address of every ``kern_ipc_perm`` below the ``bucket_table`` at *table*.

        :raises CorruptStructure: the table is impossibly large, or a chain has no end
        """
        found: list[int] = []
        for _ in range(8):
            if not table:
                return found
            raw = self._table.read(memory, table)
            if raw.size > LIMIT or raw.size & raw.size - 1 or raw.nest:
                raise CorruptStructure("rhashtable.tbl", table, f"cannot have {raw.size} buckets, nest {raw.nest}")
            buckets = memory.read(table + self._buckets, 8 * raw.size)
            if buckets.count(0) != len(buckets):
                for first in memoryview(buckets).cast("Q"):
                    if first:
                        self._chain(memory, first & ~1, found)
            table = raw.future_tbl
        raise CorruptStructure("rhashtable.future_tbl", table, "more than 8 tables")

    def _chain(self, memory: KernelMemory, node: int, found: list[int]) -> None:
        # A chain ends with a nulls marker, which is odd (rht_is_a_nulls()).
        met = Met("bucket_table.buckets", LIMIT)
        while node and not node & 1:
            met.add(node)
            found.append(node - self._node)
            node = memory.u64(node)
