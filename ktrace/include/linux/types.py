"""Integers as the C types hold them (``include/linux/types.h``)."""

from __future__ import annotations

SIZEOF_INT = 4
SIZEOF_LONG = 8


def s16(value: int) -> int:
    """Return *value* as the C type short holds it."""
    return ((value & 0xFFFF) ^ 0x8000) - 0x8000


def s32(value: int) -> int:
    """Return *value* as the C type int holds it."""
    return ((value & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000


def s64(value: int) -> int:
    """Return *value* as the C type long holds it."""
    return ((value & 0xFFFFFFFFFFFFFFFF) ^ 1 << 63) - (1 << 63)


def u32(value: int) -> int:
    """Return *value* as the C type unsigned int holds it."""
    return value & 0xFFFFFFFF


def u64(value: int) -> int:
    """Return *value* as the C type unsigned long holds it."""
    return value & 0xFFFFFFFFFFFFFFFF
