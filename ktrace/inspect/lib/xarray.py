"""Walk XArrays and IDRs, their nodes read in bulk (``lib/xarray.c``, ``lib/radix-tree.c``)."""

from __future__ import annotations

import struct

import drgn

from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.layout import layout_of
from ktrace.inspect.memory import KernelMemory

LIMIT = 1 << 16
"""No IDR or page cache that ktrace reads has more entries."""


class XArrayWalker:
    """Read XArrays of one kernel.

    :param prog: for the layout of ``struct xa_node``
    """

    def __init__(self, prog: drgn.Program) -> None:
        node = layout_of(prog, "struct xa_node", "shift", "slots[]")
        self._shift = node.offsets["shift"]
        self._first = node.offsets["slots"]
        self._chunk = (node.start + node.span - self._first) // 8
        self._size = self._first + 8 * self._chunk
        self._unpack = struct.Struct(f"<{self._chunk}Q").unpack_from
        self._empty = bytes(8 * self._chunk)

    def entries(self, memory: KernelMemory, head: int, what: str) -> list[tuple[int, int]]:
        """Return index and pointer of every entry below ``xarray.xa_head`` *head*, in ascending order.

        :raises CorruptStructure: the tree is too deep, too large, or no tree
        """
        if not head:
            return []
        if not _is_node(head):
            return [(0, head)]
        found: list[tuple[int, int]] = []
        self._node(memory, head - 2, 0, 64, found, what)
        return found

    def _node(
        self, memory: KernelMemory, node: int, base: int, above: int, found: list[tuple[int, int]], what: str
    ) -> None:
        data = memory.read(node, self._size)
        shift = data[self._shift]
        if shift >= above or shift % (self._chunk.bit_length() - 1):
            raise CorruptStructure(what, node, f"node has shift {shift} below one of {above}")
        if data.endswith(self._empty):
            return
        for number, entry in enumerate(self._unpack(data, self._first)):
            if not entry:
                continue
            index = base + (number << shift)
            if _is_node(entry):
                if shift:
                    self._node(memory, entry - 2, index, shift, found, what)
                continue
            if entry & 3:
                continue  # a value, or what stands for a sibling
            found.append((index, entry))
            if len(found) > LIMIT:
                raise CorruptStructure(what, node, f"more than {LIMIT} entries")


def _is_node(entry: int) -> bool:
    """Tell whether an entry points at a node (``xa_is_node()``)."""
    return entry & 3 == 2 and entry > 4096
