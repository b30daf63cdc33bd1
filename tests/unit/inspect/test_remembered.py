"""A value is found again for as long as every byte that it depends on is the same."""

from __future__ import annotations

from typing import Any

import pytest

from ktrace.inspect import remembered
from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.remembered import Remembered


class Memory:
    """Sixteen bytes at 0x1000."""

    def __init__(self) -> None:
        self.data = bytearray(range(16))

    def read(self, address: int, size: int) -> bytes:
        """Load bytes."""
        start = address - 0x1000
        if not 0 <= start <= len(self.data) - size:
            raise CorruptStructure("pointer", address, "points at nothing mapped")
        return bytes(self.data[start : start + size])

    def holds(self, places: Any) -> bool:
        """Compare bytes."""
        return all(self.read(address, len(data)) == data for address, data in places)


@pytest.fixture
def memory() -> Any:
    """Fresh memory."""
    return Memory()


def test_a_value_is_found_until_one_of_its_places_changes(memory: Any) -> None:
    kept: Remembered[str] = Remembered()
    assert kept.find(memory, 1) is None
    assert kept.keep(1, "one", [(0x1000, memory.read(0x1000, 4)), (0x100C, memory.read(0x100C, 4))]) == "one"
    assert kept.find(memory, 1) == "one"
    memory.data[8] = 99
    assert kept.find(memory, 1) == "one"
    memory.data[15] = 99
    assert kept.find(memory, 1) is None
    memory.data[15] = 15
    assert kept.find(memory, 1) == "one"


def test_what_depends_on_more_than_bytes_is_not_kept_and_what_was_kept_before_is_forgotten(memory: Any) -> None:
    kept: Remembered[str] = Remembered()
    kept.keep(1, "one", [(0x1000, b"\0")])
    assert kept.keep(1, "two", None) == "two"
    assert kept.find(memory, 1) is None


def test_a_place_that_is_mapped_no_more_has_changed(memory: Any) -> None:
    kept: Remembered[str] = Remembered()
    kept.keep(1, "one", [(0x2000, b"gone")])
    assert kept.find(memory, 1) is None


def test_no_more_is_remembered_than_a_guest_can_hold(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "LIMIT", 3)
    kept: Remembered[int] = Remembered()
    for key in range(4):
        kept.keep(key, key, [(0x1000, b"\0")])
    assert [kept.find(memory, key) for key in range(4)] == [None, None, None, 3]
