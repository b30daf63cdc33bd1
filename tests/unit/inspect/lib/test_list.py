"""Walks of lists in fake memory, sound and damaged: what is said, and how early."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import cycle
from typing import Any

import drgn
import pytest

from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.lib.list import each_once, for_each_hlist_node, for_each_list_node, for_each_next

HEAD, A, B, C = 0x1000, 0x2000, 0x3000, 0x4000


class Memory:
    """Words by address, and how many reads there were."""

    def __init__(self, words: dict[int, int]) -> None:
        self.words = words
        self.reads = 0

    def u64(self, address: int) -> int:
        """Load a word."""
        return int.from_bytes(self.read(address, 8), "little")

    def read(self, address: int, size: int) -> bytes:
        """Load words."""
        self.reads += 1
        return b"".join(struct.pack("<Q", self.words[at]) for at in range(address, address + size, 8))


def ring(*nodes: int) -> dict[int, int]:
    """Return a ``list_head`` and its nodes."""
    around = [HEAD, *nodes]
    words = {}
    for number, node in enumerate(around):
        words[node] = around[(number + 1) % len(around)]
        words[node + 8] = around[number - 1]
    return words


def walk(function: Any, words: dict[int, int], start: int, **named: Any) -> tuple[list[int], str, int]:
    """Return the nodes that *function* yields, what it raises, and how often it read."""
    memory, found = Memory(words), []
    try:
        for node in function(memory, start, "thing.list", **named):
            found.append(node)
    except CorruptStructure as error:
        return found, error.message, memory.reads
    return found, "", memory.reads


@pytest.mark.parametrize("nodes", [(), (A,), (A, B, C)])
def test_nodes_come_in_order(nodes: tuple[int, ...]) -> None:
    assert walk(for_each_list_node, ring(*nodes), HEAD) == (list(nodes), "", len(nodes) + 1)


@pytest.mark.parametrize(
    ("damage", "met", "message"),
    [
        ({B + 8: 0xBAD}, [A], "thing.list at 0x3000: prev is 0xbad, not 0x2000"),
        ({C: A}, [A, B, C], "thing.list at 0x2000: prev is 0x1000, not 0x4000"),  # a cycle without the head
        ({A: A}, [A], "thing.list at 0x2000: prev is 0x1000, not 0x2000"),
        ({HEAD + 8: B}, [A, B, C], "thing.list at 0x1000: prev is 0x3000, not 0x4000"),
        ({HEAD: C}, [], "thing.list at 0x4000: prev is 0x3000, not 0x1000"),
    ],
)
def test_a_damaged_list_says_what_was_found(damage: dict[int, int], met: list[int], message: str) -> None:
    found, said, reads = walk(for_each_list_node, ring(A, B, C) | damage, HEAD)
    assert (found, said) == (met, message)
    assert reads <= 5


def test_a_list_may_be_too_long() -> None:
    said = walk(for_each_list_node, ring(A, B, C), HEAD, limit=2)[1]
    assert said == "thing.list at 0x1000: list has more than 2 entries"


def hashed(*nodes: int) -> dict[int, int]:
    """Return a ``hlist_head`` and its nodes."""
    words = {HEAD: nodes[0] if nodes else 0}
    for number, node in enumerate(nodes):
        words[node] = nodes[number + 1] if number + 1 < len(nodes) else 0
        words[node + 8] = nodes[number - 1] if number else HEAD
    return words


def test_a_hash_chain_is_checked_backwards() -> None:
    assert walk(for_each_hlist_node, hashed(), HEAD) == ([], "", 1)
    assert walk(for_each_hlist_node, hashed(A, B, C), HEAD) == ([A, B, C], "", 4)
    cycle = walk(for_each_hlist_node, hashed(A, B, C) | {C: B}, HEAD)
    assert cycle == ([A, B, C], "thing.list at 0x3000: pprev is 0x2000, not 0x4000", 5)
    assert walk(for_each_hlist_node, hashed(A, B) | {A + 8: 0xBAD}, HEAD)[1].endswith("pprev is 0xbad, not 0x1000")
    assert walk(for_each_hlist_node, hashed(A, B, C), HEAD, limit=2)[1].endswith("list has more than 2 entries")


def test_a_singly_linked_list_is_walked_once_round() -> None:
    words = {A + 16: B, B + 16: C, C + 16: 0}
    assert walk(for_each_next, words, A, offset=16) == ([A, B, C], "", 3)
    assert walk(for_each_next, words, 0, offset=16) == ([], "", 0)
    cycle = walk(for_each_next, words | {C + 16: B}, A, offset=16)
    assert cycle == ([A, B, C], "thing.list at 0x3000: is reached again after 3 nodes", 3)
    long = walk(for_each_next, words, A, offset=16, limit=2)
    assert long[:2] == ([A, B], "thing.list at 0x4000: comes after 2 others, more than there can be")


def test_a_walk_of_drgns_ends_where_it_comes_round() -> None:
    prog = drgn.Program(drgn.Platform(drgn.Architecture.X86_64))
    pointer = prog.pointer_type(prog.void_type())

    def round_and_round() -> Iterator[drgn.Object]:
        for address in cycle((0x10, 0x20, 0x30)):
            yield drgn.Object(prog, pointer, value=address)

    met = []
    with pytest.raises(CorruptStructure, match="mnt_namespace at 0x10: is reached again after 3 nodes"):
        for one in each_once(round_and_round(), "mnt_namespace"):
            met.append(one.value_())
    assert met == [0x10, 0x20, 0x30]
