"""Name the numbers in a ``struct sock`` as the kernel does; one that could not be read has no other name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ktrace.include.linux.sched import MAX_SCHEDULE_TIMEOUT
from ktrace.state.unread import Unread


def unnamed(value: Unread) -> Any:
    """Return what could not be read, in place of its name."""
    return value


def bit_names(value: int, names: Mapping[int, str]) -> tuple[str, ...]:
    """Return the names of the bits set in *value*, sorted; a bit without a name as ``bitN``."""
    if isinstance(value, Unread):
        return unnamed(value)
    if not value:
        return ()
    return tuple(sorted(names.get(bit, f"bit{bit}") for bit in range(value.bit_length()) if value >> bit & 1))


def mask_names(value: int, names: Mapping[int, str]) -> tuple[str, ...]:
    """Return the names of the masks set in *value*, sorted."""
    if isinstance(value, Unread):
        return unnamed(value)
    if not value:
        return ()
    masks = (1 << bit for bit in range(value.bit_length()))
    return tuple(sorted(names.get(mask, f"{mask:#x}") for mask in masks if value & mask))


def enum_name(value: int, names: tuple[str, ...]) -> str:
    """Return the name of an enumeration's *value*, the number itself where it has none."""
    if isinstance(value, Unread):
        return unnamed(value)
    return names[value] if 0 <= value < len(names) else str(value)


def name_of(value: int, names: Mapping[int, str]) -> str:
    """Return the name of *value*, the number itself where it has none."""
    if isinstance(value, Unread):
        return unnamed(value)
    return names.get(value) or str(value)


def jiffies(value: int) -> int | None:
    """Return a timeout in jiffies, ``None`` for MAX_SCHEDULE_TIMEOUT."""
    return None if value == MAX_SCHEDULE_TIMEOUT else value


@lru_cache(maxsize=1024)
def dotted(address: int) -> str:
    """Return an IPv4 address, read as a little-endian word of network-order bytes, as text."""
    if isinstance(address, Unread):
        return unnamed(address)
    return ".".join(str(byte) for byte in address.to_bytes(4, "little"))


def ntohs(value: int) -> int:
    """Return a port that was read as a little-endian word, in host order."""
    return (value & 0xFF) << 8 | value >> 8
