"""Walks of trees and tables in fake memory, sound and damaged."""

from __future__ import annotations

import struct
from typing import Any

import drgn
import pytest

from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.lib.maple_tree import MapleTreeWalker
from ktrace.inspect.lib.rhashtable import KeyTable
from ktrace.inspect.lib.xarray import XArrayWalker

CHUNK = 4
"""Slots of a fake ``xa_node``: two bits of the index a level."""


class Memory:
    """Bytes by address; anything else is unmapped."""

    def __init__(self) -> None:
        self.bytes: dict[int, int] = {}

    def put(self, address: int, data: bytes) -> None:
        """Store *data*."""
        self.bytes.update(enumerate(data, address))

    def read(self, address: int, size: int) -> bytes:
        """Load bytes."""
        try:
            return bytes([self.bytes[at] for at in range(address, address + size)])
        except KeyError:
            raise CorruptStructure("pointer", address, "points at nothing mapped") from None

    def u64(self, address: int) -> int:
        """Load a word."""
        return int.from_bytes(self.read(address, 8), "little")


@pytest.fixture
def prog() -> drgn.Program:
    """A program that knows the few types that the walks need."""
    prog = drgn.Program(drgn.Platform(drgn.Architecture.X86_64))
    u8 = prog.int_type("unsigned char", 1, False)
    u32 = prog.int_type("unsigned int", 4, False)
    u64 = prog.int_type("unsigned long", 8, False)
    head = prog.struct_type("rhash_head", 8, [drgn.TypeMember(u64, "next", 0)])

    def member(type_: Any, name: str, offset: int) -> drgn.TypeMember:
        return drgn.TypeMember(type_, name, 8 * offset)

    types = {
        "xa_node": prog.struct_type(
            "xa_node", 8 + 8 * CHUNK, [member(u8, "shift", 0), member(prog.array_type(u64, CHUNK), "slots", 8)]
        ),
        "maple_node": prog.struct_type("maple_node", 256, []),
        "maple_range_64": prog.struct_type(
            "maple_range_64",
            256,
            [member(prog.array_type(u64, 15), "pivot", 8), member(prog.array_type(u64, 16), "slot", 128)],
        ),
        "maple_arange_64": prog.struct_type(
            "maple_arange_64",
            256,
            [member(prog.array_type(u64, 9), "pivot", 8), member(prog.array_type(u64, 10), "slot", 80)],
        ),
        "bucket_table": prog.struct_type(
            "bucket_table",
            24,
            [
                member(u32, "size", 0),
                member(u32, "nest", 4),
                member(u64, "future_tbl", 8),
                member(prog.array_type(u64, 0), "buckets", 24),
            ],
        ),
        "kern_ipc_perm": prog.struct_type("kern_ipc_perm", 64, [member(head, "khtnode", 32)]),
    }
    kinds = prog.enum_type(
        "maple_type",
        u32,
        [
            drgn.TypeEnumerator(name, number)
            for number, name in enumerate(("maple_dense", "maple_leaf_64", "maple_range_64", "maple_arange_64"))
        ],
    )

    def find(prog: drgn.Program, asked: Any, name: str, filename: str | None) -> Any:
        return kinds if name == "maple_type" else types.get(name)

    prog.register_type_finder("fake", find, enable_index=0)
    return prog


def node(shift: int, *slots: int) -> bytes:
    """Return an ``xa_node``."""
    return struct.pack(f"<Q{CHUNK}Q", shift, *slots, *[0] * (CHUNK - len(slots)))


def test_entries_come_with_their_indices(prog: drgn.Program) -> None:
    memory: Any = Memory()
    memory.put(0x10000, node(2, 0, 0x20000 + 2, 0, 0x30000 + 2))
    memory.put(0x20000, node(0, 0x1000, 0, 0x2000))
    memory.put(0x30000, node(0, 0, 0, 0, 0x3000))
    walker = XArrayWalker(prog)
    assert walker.entries(memory, 0x10000 + 2, "x") == [(4, 0x1000), (6, 0x2000), (15, 0x3000)]
    assert walker.entries(memory, 0x4000, "x") == [(0, 0x4000)]
    assert walker.entries(memory, 0, "x") == []


@pytest.mark.parametrize(
    "root",
    [
        node(2, 0x10000 + 2),  # its own child
        node(2, 0x99990000 + 2),  # a child that is not mapped
        node(3, 0x1000),  # no shift of this tree
        node(200),  # deeper than an index is long
    ],
)
def test_a_damaged_tree_is_refused(prog: drgn.Program, root: bytes) -> None:
    memory: Any = Memory()
    memory.put(0x10000, root)
    with pytest.raises(CorruptStructure):
        XArrayWalker(prog).entries(memory, 0x10000 + 2, "x")


def maple(pivots: list[int], slots: list[int], internal: bool = False) -> bytes:
    """Return a maple node: a leaf, or an internal one with gaps."""
    room = (9, 10, 96) if internal else (15, 16, 0)
    words = [0, *pivots, *[0] * (room[0] - len(pivots)), *slots, *[0] * (room[1] - len(slots))]
    data = struct.pack(f"<{len(words)}Q", *words)
    return data + bytes(256 - len(data))


LEAF, INNER = 1 << 3 | 2, 3 << 3 | 2
"""What the low bits of a pointer to a leaf and to an internal node say."""


def test_mappings_come_in_order(prog: drgn.Program) -> None:
    memory: Any = Memory()
    memory.put(0x10000, maple([0xFFF, (1 << 64) - 1], [0x20000 | LEAF, 0x20100 | LEAF], internal=True))
    memory.put(0x20000, maple([0xFF, 0x1FF, 0xFFF], [0, 0xA000, 0xB000]))
    memory.put(0x20100, maple([0x1FFF, 0x2FFF, (1 << 64) - 1], [0xC000, 0, 0]))
    walker = MapleTreeWalker(prog)
    assert walker.entries(memory, 0x10000 | INNER, "mm") == [0xA000, 0xB000, 0xC000]
    assert walker.entries(memory, 0, "mm") == []


def test_a_maple_tree_that_is_its_own_child_is_refused(prog: drgn.Program) -> None:
    memory: Any = Memory()
    memory.put(0x10000, maple([(1 << 64) - 1], [0x10000 | INNER], internal=True))
    with pytest.raises(CorruptStructure, match="deeper"):
        MapleTreeWalker(prog).entries(memory, 0x10000 | INNER, "mm")


def table(size: int, buckets: list[int], future: int = 0, nest: int = 0) -> bytes:
    """Return a ``bucket_table``."""
    return struct.pack(f"<IIQQ{len(buckets)}Q", size, nest, future, 0, *buckets)


def test_chains_end_at_a_marker_and_tables_follow_each_other(prog: drgn.Program) -> None:
    memory: Any = Memory()
    memory.put(0x10000, table(2, [0x50020 | 1, 0], future=0x11000))
    memory.put(0x11000, table(2, [0, 0x70020]))
    memory.put(0x50020, struct.pack("<Q", 0x60020))
    memory.put(0x60020, struct.pack("<Q", 0x10018 | 1))
    memory.put(0x70020, struct.pack("<Q", 0x11020 | 1))
    assert KeyTable(prog).objects(memory, 0x10000) == [0x50000, 0x60000, 0x70000]


@pytest.mark.parametrize(
    "raw", [table(3, [0, 0, 0]), table(1 << 30, []), table(2, [0, 0], nest=1), table(1, [0], 0x10000)]
)
def test_a_damaged_table_is_refused(prog: drgn.Program, raw: bytes) -> None:
    memory: Any = Memory()
    memory.put(0x10000, raw)
    with pytest.raises(CorruptStructure):
        KeyTable(prog).objects(memory, 0x10000)
