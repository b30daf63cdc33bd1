"""Walk the kernel's lists, bounded, and never twice round."""

from __future__ import annotations

from collections.abc import Iterator

from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.memory import KernelMemory

LIMIT = 1 << 20


def for_each_list_node(memory: KernelMemory, head: int, what: str, limit: int = LIMIT) -> Iterator[int]:
    """Yield the address of every ``struct list_head`` on the list at *head*, without the head.

    :param what: named in the error
    :raises CorruptStructure: the list is longer than *limit*, or does not come back to its head
    """
    node = memory.u64(head)
    previous = head
    for _ in range(limit):
        if node == head:
            return
        if memory.u64(node + 8) != previous:
            raise CorruptStructure(what, node, "prev does not point back")
        yield node
        previous, node = node, memory.u64(node)
    raise CorruptStructure(what, head, f"list has more than {limit} entries")


def for_each_hlist_node(memory: KernelMemory, first: int, what: str, limit: int = LIMIT) -> Iterator[int]:
    """Yield the address of every ``struct hlist_node`` from *first* on.

    :param first: value of ``hlist_head.first``
    """
    for _ in range(limit):
        if not first:
            return
        yield first
        first = memory.u64(first)
    raise CorruptStructure(what, first, f"list has more than {limit} entries")
