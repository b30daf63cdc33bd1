"""Walk a maple tree of mappings, its nodes read in bulk (``lib/maple_tree.c``)."""

from __future__ import annotations

import struct

import drgn

from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.layout import layout_of
from ktrace.inspect.members import type_of
from ktrace.inspect.memory import KernelMemory
from ktrace.uapi.limits import ULONG_MAX

MAX_DEPTH = 16
MAX_ENTRIES = 1 << 17
NODE_MASK = 0xFF
"""``MAPLE_NODE_MASK``: nodes are aligned to 256 bytes, the rest of a pointer says what kind one is."""


class MapleTreeWalker:
    """Read maple trees of one kernel.

    :param prog: for the layouts of the two kinds of nodes
    """

    def __init__(self, prog: drgn.Program) -> None:
        kinds = dict(type_of(prog, "enum maple_type").enumerators)
        self._first_internal: int = kinds["maple_range_64"]
        self._arange: int = kinds["maple_arange_64"]
        self._size: int = type_of(prog, "struct maple_node").size
        self._range = _NodeLayout(prog, "struct maple_range_64")
        self._alloc = _NodeLayout(prog, "struct maple_arange_64")

    def entries(self, memory: KernelMemory, root: int, what: str) -> list[int]:
        """Return the pointer of every entry below ``maple_tree.ma_root`` *root*, in ascending order.

        :raises CorruptStructure: the tree is too deep, too large, or no tree
        """
        if not root:
            return []
        if root & 3 != 2 or root <= 4096:
            return [root]
        found: list[int] = []
        self._node(memory, root, ULONG_MAX, MAX_DEPTH, found, what)
        return found

    def _node(self, memory: KernelMemory, encoded: int, top: int, depth: int, found: list[int], what: str) -> None:
        if not depth:
            raise CorruptStructure(what, encoded, f"tree is deeper than {MAX_DEPTH}")
        kind = encoded >> 3 & 0xF
        layout = self._alloc if kind == self._arange else self._range
        data = memory.read(encoded & ~NODE_MASK, self._size)
        pivots = layout.pivots(data, layout.first_pivot)
        slots = layout.slots(data, layout.first_slot)
        for number, slot in enumerate(slots):
            pivot = pivots[number] if number < len(pivots) else top
            if number and not pivot:
                break
            if slot:
                if kind >= self._first_internal:
                    self._node(memory, slot, pivot, depth - 1, found, what)
                else:
                    found.append(slot)
                if len(found) > MAX_ENTRIES:
                    raise CorruptStructure(what, encoded, f"more than {MAX_ENTRIES} entries")
            if pivot >= top:
                break


class _NodeLayout:
    def __init__(self, prog: drgn.Program, name: str) -> None:
        pivot, slot = layout_of(prog, name, "pivot[]"), layout_of(prog, name, "slot[]")
        self.first_pivot, self.first_slot = pivot.offsets["pivot"], slot.offsets["slot"]
        self.pivots = struct.Struct(f"<{pivot.span // 8}Q").unpack_from
        self.slots = struct.Struct(f"<{slot.span // 8}Q").unpack_from
