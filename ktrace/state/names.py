"""Bits by their names."""

from __future__ import annotations

from collections.abc import Mapping


def flag_names(value: int, names: Mapping[int, str]) -> tuple[str, ...]:
    """Name the bits of *value*, sorted; what has no name is one number in hex."""
    if not value:
        return ()
    found = sorted(name for bit, name in names.items() if value & bit)
    if rest := value & ~sum(bit for bit in names if value & bit):
        found.append(f"{rest:#x}")
    return tuple(found)
