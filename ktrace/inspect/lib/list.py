"""Walk the kernel's lists, checked backwards; a cycle is an error where it closes (``include/linux/list.h``)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

import drgn

from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.memory import KernelMemory

LIMIT = 1 << 20
_LINKS = struct.Struct("<QQ")
"""``list_head.next`` and ``prev``; ``hlist_node.next`` and ``pprev``."""


def points_elsewhere(what: str, node: int, found: int, expected: int, member: str = "prev") -> CorruptStructure:
    """Return the error of a node whose *member* is *found*, not *expected*."""
    return CorruptStructure(what, node, f"{member} is {found:#x}, not {expected:#x}")


def for_each_list_node(memory: KernelMemory, head: int, what: str, limit: int = LIMIT) -> Iterator[int]:
    """Yield the address of every ``struct list_head`` on the list at *head*, without the head.

    :param what: structure and member of the head, named in the error
    :raises CorruptStructure: a ``prev`` is not the node before, or the list is longer than *limit*
    """
    node, last = _LINKS.unpack(memory.read(head, 16))
    previous = head
    for _ in range(limit):
        if node == head:
            if last != previous:
                raise points_elsewhere(what, head, last, previous)
            return
        following, prev = _LINKS.unpack(memory.read(node, 16))
        if prev != previous:
            raise points_elsewhere(what, node, prev, previous)
        yield node
        previous, node = node, following
    raise CorruptStructure(what, head, f"list has more than {limit} entries")


def for_each_hlist_node(memory: KernelMemory, head: int, what: str, limit: int = LIMIT) -> Iterator[int]:
    """Yield the address of every ``struct hlist_node`` on the list at *head*.

    :param head: address of a ``struct hlist_head``
    :param what: structure and member of the head, named in the error
    :raises CorruptStructure: a ``pprev`` is not where the node was found, or the list is longer than *limit*
    """
    place, node = head, memory.u64(head)
    for _ in range(limit):
        if not node:
            return
        following, pprev = _LINKS.unpack(memory.read(node, 16))
        if pprev != place:
            raise points_elsewhere(what, node, pprev, place, "pprev")
        yield node
        place, node = node, following
    raise CorruptStructure(what, head, f"list has more than {limit} entries")


def for_each_next(memory: KernelMemory, first: int, what: str, limit: int = LIMIT, offset: int = 0) -> Iterator[int]:
    """Yield the address of every structure of a singly linked list, from *first* on.

    :param first: value of the list's head, 0 for an empty list
    :param what: structure and member of the head, named in the error
    :param offset: of the pointer to the next one in a structure
    :raises CorruptStructure: a structure is reached again, or the list is longer than *limit*
    """
    met = Met(what, limit)
    node = first
    while node:
        met.add(node)
        yield node
        node = memory.u64(node + offset)


def each_once(found: Iterable[drgn.Object], what: str, limit: int = LIMIT) -> Iterator[drgn.Object]:
    """Yield the pointers of a walk of drgn's, which has no bounds of its own.

    :param what: what is walked, named in the error
    :raises CorruptStructure: one comes again, or there are more than *limit*
    """
    met = Met(what, limit)
    for pointer in found:
        met.add(pointer.value_())
        yield pointer


class Met:
    """Refuse a node of a list or tree that was met before: nothing is walked twice.

    :param what: structure and member that the walk began at, named in the error
    :param limit: nodes that there may be
    """

    def __init__(self, what: str, limit: int = LIMIT) -> None:
        self._what = what
        self._limit = limit
        self._nodes: set[int] = set()

    def add(self, node: int) -> None:
        """Note that *node* is reached.

        :raises CorruptStructure: for the second time, or after *limit* others
        """
        if node in self._nodes:
            raise CorruptStructure(self._what, node, f"is reached again after {len(self._nodes)} nodes")
        if len(self._nodes) >= self._limit:
            raise CorruptStructure(self._what, node, f"comes after {self._limit} others, more than there can be")
        self._nodes.add(node)
