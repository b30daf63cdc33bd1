"""What ``validate_pipe`` says of one ring, sound, damaged in one place, and made of garbage."""

from __future__ import annotations

import struct
from collections import Counter
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.invariants.fs.pipe.pipe import PipeCensus, check_pages, check_ring

SLOT = struct.Struct("<QIIQIQ")
BUFS, PAGES, PAGE_STRUCT_SIZE = 0x1000, 0x100000, 64
ANON, CACHE = 0x7000, 0x7008
SYMBOLS = {ANON: "anon_pipe_buf_ops", CACHE: "page_cache_pipe_buf_ops"}
REFCOUNT = 52


class Buffers:
    """A layout of ``struct pipe_buffer``."""

    size = SLOT.size

    def unpack(self, data: bytes, offset: int) -> Any:
        """Return one slot."""
        names = ("page", "offset", "len", "ops", "flags", "private")
        return SimpleNamespace(**dict(zip(names, SLOT.unpack_from(data, offset), strict=True)))


@dataclass
class Fake:
    """Memory with a ring at BUFS and eight ``struct page`` at PAGES; everything else is unmapped."""

    ring: bytes
    counts: list[int] = field(default_factory=lambda: [1] * 8)

    @property
    def memory(self) -> Fake:
        """Stand for ``kernel.memory``."""
        return self

    def symbol(self, address: int) -> str:
        """Name a symbol as a kernel does."""
        return SYMBOLS.get(address, f"{address:#x}")

    def read(self, address: int, size: int) -> bytes:
        """Read of the ring."""
        start = address - BUFS
        if not 0 <= start <= len(self.ring) - size:
            raise CorruptStructure("pointer", address, "points at nothing mapped")
        return self.ring[start : start + size]

    def pfn(self, page: int) -> int:
        """Tell the frame behind a ``struct page``."""
        number, rest = divmod(page - PAGES, PAGE_STRUCT_SIZE)
        if rest or not 0 <= number < len(self.counts):
            raise CorruptStructure("struct page", page, "is none")
        return number

    def u64(self, address: int) -> int:
        """Read ``compound_head``: no page is part of a larger one."""
        self.pfn(address - 8)
        return 0

    def u32(self, address: int) -> int:
        """Read a reference count."""
        return self.counts[self.pfn(address - REFCOUNT)] & 0xFFFFFFFF


def slots(*used: tuple[int, int, int, int, int]) -> bytes:
    """Return a ring of four slots from page number, offset, len, ops and flags of the first ones."""
    data = b"".join(
        SLOT.pack(PAGES + PAGE_STRUCT_SIZE * page, at, size, ops, flags, 0) for page, at, size, ops, flags in used
    )
    return data.ljust(4 * SLOT.size, b"\0")


def pipe(**members: int) -> Any:
    """Return a ``pipe_inode_info`` with four slots of which two are in use."""
    sound = {
        "head": 2,
        "tail": 0,
        "max_usage": 4,
        "ring_size": 4,
        "nr_accounted": 4,
        "watch_queue": 0,
        "tmp_page": 0,
        "bufs": BUFS,
    }
    return SimpleNamespace(**{**sound, **members})


SOUND = slots((0, 0, 4096, ANON, 0x10), (1, 5, 10, CACHE, 0))


def violations(raw: Any, fake: Fake) -> list[str]:
    """Return what is wrong with a pipe, as text."""
    census: Any = PipeCensus()
    reader: Any = SimpleNamespace(buffer=Buffers(), refcount_offset=REFCOUNT)
    kernel: Any = fake
    found = list(check_ring(kernel, reader, "p", raw, [raw.tmp_page] if raw.tmp_page else [], census.pages))
    assert isinstance(census.pages, Counter)
    return [str(item) for item in [*found, *check_pages(kernel, reader, census)]]


def test_a_sound_ring() -> None:
    """Nothing is wrong with it."""
    assert violations(pipe(), Fake(SOUND)) == []
    assert violations(pipe(tmp_page=PAGES + 2 * PAGE_STRUCT_SIZE), Fake(SOUND)) == []
    around = SLOT.pack(PAGES + PAGE_STRUCT_SIZE, 0, 1, ANON, 0, 0)
    wrapped = slots((0, 0, 1, ANON, 0))[: 3 * SLOT.size] + around
    assert violations(pipe(head=1, tail=0xFFFFFFFF), Fake(wrapped)) == []


@pytest.mark.parametrize(
    ("raw", "fake", "expected"),
    [
        (pipe(ring_size=3), Fake(SOUND), ["p.ring_size: is 3, not a power of two from 1 to 524288"]),
        (pipe(ring_size=0), Fake(SOUND), ["p.ring_size: is 0, not a power of two from 1 to 524288"]),
        (pipe(ring_size=1 << 20), Fake(SOUND), ["p.ring_size: is 1048576, not a power of two from 1 to 524288"]),
        (pipe(max_usage=5), Fake(SOUND), ["p.max_usage: is 5, with 4 slots"]),
        (pipe(max_usage=1), Fake(SOUND), ["p.head: is 2, 2 past the tail 0, with max_usage 1"]),
        (pipe(nr_accounted=8), Fake(SOUND), ["p.nr_accounted: is 8, with 4 slots"]),
        (pipe(head=9), Fake(SOUND), ["p.head: is 9, 9 past the tail 0, with 4 slots"]),
        (pipe(head=1), Fake(SOUND), ["p.bufs[1].ops: is page_cache_pipe_buf_ops outside of head and tail"]),
        (pipe(head=3), Fake(SOUND), ["p.bufs[2].ops: is NULL between tail and head"]),
        (
            pipe(),
            Fake(slots((0, 0, 1, 0x9999, 0), (1, 0, 1, ANON, 0))),
            ["p.bufs[0].ops: is 0x9999, which is no pipe_buf_operations"],
        ),
        (pipe(), Fake(slots((0, 0, 1, ANON, 0x100), (1, 0, 1, ANON, 0))), ["p.bufs[0].flags: is 0x100"]),
        (
            pipe(),
            Fake(slots((0, 0, 1, CACHE, 0x10), (1, 0, 1, ANON, 0))),
            ["p.bufs[0].flags: has CAN_MERGE, but the page belongs to page_cache_pipe_buf_ops"],
        ),
        (
            pipe(),
            Fake(slots((0, 4000, 97, ANON, 0), (1, 0, 1, ANON, 0))),
            ["p.bufs[0].len: is 97 at offset 4000, past the end of the page"],
        ),
        (
            pipe(),
            Fake(slots((99, 0, 1, ANON, 0), (1, 0, 1, ANON, 0))),
            ["p.bufs[0].page: struct page at 0x1018c0: is none"],
        ),
        (pipe(), Fake(SOUND, [0] * 8), ["p.bufs[0].page: has 0 references", "p.bufs[1].page: has 0 references"]),
        (pipe(), Fake(SOUND, [-1] * 8), ["p.bufs[0].page: has -1 references", "p.bufs[1].page: has -1 references"]),
        (
            pipe(),
            Fake(slots((0, 0, 1, ANON, 0), (0, 1, 1, ANON, 0))),
            ["page 0x100000: has 1 references, but 2 slots hold it"],
        ),
        (pipe(tmp_page=PAGES), Fake(SOUND), ["p.tmp_page: is also in the ring"]),
        (pipe(tmp_page=PAGES + 128), Fake(SOUND, [1, 1, 3, 1]), ["p.tmp_page: has 3 references"]),
        (pipe(tmp_page=0x123), Fake(SOUND), ["p.tmp_page: struct page at 0x123: is none"]),
    ],
)
def test_a_damaged_ring(raw: Any, fake: Fake, expected: list[str]) -> None:
    """What contradicts itself is named, and nothing else."""
    assert violations(raw, fake) == expected


WORD = st.one_of(st.integers(0, 8), st.integers(0, (1 << 32) - 1))
SLOTS = st.lists(
    st.tuples(
        st.one_of(
            st.integers(0, (1 << 64) - 1), st.integers(0, 9).map(lambda number: PAGES + number * PAGE_STRUCT_SIZE)
        ),
        WORD,
        WORD,
        st.one_of(st.sampled_from([0, ANON, CACHE]), st.integers(0, (1 << 64) - 1)),
        WORD,
        st.integers(0, (1 << 64) - 1),
    ),
    max_size=8,
)


@settings(max_examples=200, deadline=None)
@given(
    ring=SLOTS,
    members=st.fixed_dictionaries(
        dict.fromkeys(("head", "tail", "max_usage", "ring_size", "nr_accounted", "watch_queue"), WORD)
    ),
    tmp_page=st.one_of(st.just(0), st.integers(0, (1 << 64) - 1)),
    counts=st.lists(st.integers(-(1 << 31), (1 << 31) - 1), min_size=8, max_size=8),
)
def test_garbage_is_told_or_refused(
    ring: list[tuple[int, ...]], members: dict[str, int], tmp_page: int, counts: list[int]
) -> None:
    """Nothing but CorruptStructure comes out, which ``validate_pipe`` makes a violation of."""
    fake = Fake(b"".join(SLOT.pack(*slot) for slot in ring), counts)
    try:
        found = violations(pipe(**members, tmp_page=tmp_page), fake)
    except CorruptStructure:
        return
    assert all(text.startswith(("p.", "page ")) for text in found)
