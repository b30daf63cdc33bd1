"""Change variables of a guest's kernel behind its back."""

from __future__ import annotations

from typing import Protocol

from drgn import Object, sizeof

from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.memory import START_KERNEL_MAP


class WritableMemory(Protocol):
    """RAM that can be changed behind the guest's back."""

    def read(self, address: int, size: int) -> bytes:
        """Return what is at physical *address*."""

    def write(self, address: int, data: bytes) -> None:
        """Put *data* at physical *address*."""


def poke(kernel: LiveKernel, memory: WritableMemory, variable: Object, value: int) -> None:
    """Have *variable*, a number or a bit field of the kernel image or of the direct map, be *value*."""
    address, bits = variable.address_, variable.bit_field_size_
    assert address is not None
    if address >= START_KERNEL_MAP:
        place = address - START_KERNEL_MAP + kernel.memory.phys_base
    else:
        place = address - kernel.memory.page_offset
    if bits is None:
        memory.write(place, value.to_bytes(sizeof(variable), "little"))
        return
    size = (variable.bit_offset_ + bits + 7) // 8
    there = int.from_bytes(memory.read(place, size), "little")
    mask = (1 << bits) - 1 << variable.bit_offset_
    memory.write(place, (there & ~mask | value << variable.bit_offset_).to_bytes(size, "little"))
