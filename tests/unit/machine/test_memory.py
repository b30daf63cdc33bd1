"""Guest RAM, without a guest."""

from __future__ import annotations

import fcntl
import os
from contextlib import closing
from pathlib import Path

import pytest

from ktrace.errors import HostError
from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.machine import memory as module
from ktrace.machine.memory import BLOCK, GuestMemory, join_extents

MIB = 1 << 20


def test_ranges_that_touch_are_joined() -> None:
    assert join_extents([]) == []
    assert join_extents([(0, 4096), (4096, 4096), (12288, 4096)]) == [(0, 8192), (12288, 4096)]


def test_what_is_saved_can_be_filled_in_again(tmp_path: Path) -> None:
    first, second = GuestMemory(8 * MIB), GuestMemory(8 * MIB)
    first.write(PAGE_SIZE + 5, b"hello")
    first.write(5 * MIB, os.urandom(300_000))
    first.write(6 * MIB, bytes(PAGE_SIZE))  # allocated, but zero
    with (tmp_path / "ram").open("w+b") as stream:
        extents = first.save(stream.fileno())
        assert (tmp_path / "ram").stat().st_size == 8 * MIB
        second.fill(stream.fileno(), extents)
    assert second.view == first.view
    assert extents == [(0, BLOCK), (5 * MIB, 5 * BLOCK)]
    first.close()
    first.close()
    second.close()


def test_both_ends_are_checked() -> None:
    memory = GuestMemory(MIB)
    assert memory.read(MIB - 4, 4) == bytes(4)
    for address, size in ((MIB - 4, 8), (MIB, 1), (-4, 4), (-4, 2)):
        with pytest.raises(ValueError, match="are not in 1 MiB of RAM"):
            memory.read(address, size)
        with pytest.raises(ValueError, match="are not in 1 MiB of RAM"):
            memory.write(address, bytes(size))
    memory.close()


def test_the_file_can_neither_shrink_nor_grow() -> None:
    """So reading the mapping cannot end in SIGBUS."""
    memory = GuestMemory(MIB)
    for size in (MIB // 2, 2 * MIB):
        with pytest.raises(PermissionError):
            os.ftruncate(memory.fd, size)
    assert fcntl.fcntl(memory.fd, fcntl.F_GET_SEALS) & fcntl.F_SEAL_SHRINK
    memory.close()


def test_a_view_may_outlive_the_memory() -> None:
    memory = GuestMemory(MIB)
    view = memory.view
    memory.close()
    assert view[0] == 0


def test_a_host_without_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "available_memory", lambda: 100 * MIB)
    with pytest.raises(HostError, match="needs 64 MiB of memory, and this machine has 100 MiB left"):
        GuestMemory(64 * MIB)


def test_a_template_that_is_too_short(tmp_path: Path) -> None:
    memory = GuestMemory(MIB)
    (tmp_path / "ram").write_bytes(bytes(PAGE_SIZE))
    with (tmp_path / "ram").open("rb") as stream, pytest.raises(HostError, match="RAM ends at 0x1000"):
        memory.fill(stream.fileno(), [(0, 2 * PAGE_SIZE)])
    memory.close()


def test_what_differs_from_another_memory_is_all_that_is_saved(tmp_path: Path) -> None:
    with closing(GuestMemory(MIB)) as base, closing(GuestMemory(MIB)) as now, closing(GuestMemory(MIB)) as again:
        for memory in (base, now, again):
            memory.write(0, b"both")
            memory.write(5 * PAGE_SIZE, b"once")
        now.write(5 * PAGE_SIZE, bytes(4))
        now.write(9 * PAGE_SIZE - 1, b"xy")
        with (tmp_path / "ram").open("w+b") as stream:
            extents = now.save(stream.fileno(), base)
            assert extents == [(5 * PAGE_SIZE, PAGE_SIZE), (8 * PAGE_SIZE, 2 * PAGE_SIZE)]
            again.fill(stream.fileno(), extents)
        assert again.view == now.view
