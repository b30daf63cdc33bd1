"""Change the guest's memory behind its kernel's back."""

from __future__ import annotations

from collections.abc import Callable

import drgn

from ktrace.inspect.memory import START_KERNEL_MAP
from ktrace.verify.lab import Lab


def physical(lab: Lab, address: int) -> int:
    """Return where an address in the direct map or the kernel image lies in RAM."""
    kernel = lab.kernel.memory
    if address >= START_KERNEL_MAP:
        return address - START_KERNEL_MAP + kernel.phys_base
    return address - kernel.page_offset


def poke(lab: Lab, where: drgn.Object | int, change: Callable[[int], int]) -> None:
    """Change the first byte of a member, or the byte at an address."""
    place = physical(lab, where if isinstance(where, int) else int(where.address_ or 0))
    lab.guest.memory.write(place, bytes([change(lab.guest.memory.read(place, 1)[0]) & 0xFF]))


def write(lab: Lab, member: drgn.Object, value: int) -> None:
    """Store a number in a member of a structure."""
    size = drgn.sizeof(member)
    data = (value & (1 << 8 * size) - 1).to_bytes(size, "little")
    lab.guest.memory.write(physical(lab, int(member.address_ or 0)), data)
