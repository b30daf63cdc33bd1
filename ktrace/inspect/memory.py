"""Read kernel virtual addresses from guest RAM, without page tables where none are needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from ktrace.include.asm.page_types import PAGE_SHIFT
from ktrace.inspect.corrupt import CorruptStructure

START_KERNEL_MAP = 0xFFFFFFFF80000000
"""``__START_KERNEL_map`` (``arch/x86/include/asm/page_64_types.h``)."""

KERNEL_IMAGE_SIZE = 1 << 30

Place = tuple[int, bytes]
"""A kernel address, and the bytes that were read there."""


class PhysicalMemory(Protocol):
    """Guest RAM from physical address 0 on."""

    @property
    def size(self) -> int:
        """Bytes of guest RAM."""

    def read(self, address: int, size: int) -> bytes:
        """Return *size* bytes at physical *address*."""


class KernelMemory:
    """Read kernel virtual addresses.

    The direct map and the kernel image are offsets into RAM; anything else (vmalloc) goes to *slow*,
    which walks page tables.

    :param page_offset: virtual address of the direct map (``PAGE_OFFSET``)
    :param phys_base: physical address the kernel image was moved by (``phys_base``)
    :param vmemmap: virtual address of ``struct page`` 0
    :param page_struct_size: bytes of one ``struct page``
    """

    page_arrays: list[tuple[int, int, int]]
    """Where the struct pages lie: address, first frame and number of frames of each array."""

    def __init__(
        self,
        physical: PhysicalMemory,
        *,
        page_offset: int,
        phys_base: int,
        vmemmap: int,
        page_struct_size: int,
        slow: Callable[[int, int], bytes],
    ) -> None:
        self._read = physical.read
        self.ram_size = physical.size
        self.page_offset = page_offset
        self.phys_base = phys_base
        self.vmemmap = vmemmap
        self.page_struct_size = page_struct_size
        self.page_arrays = [(vmemmap, 0, physical.size >> PAGE_SHIFT)]
        self._slow = slow

    def use(self, physical: PhysicalMemory) -> None:
        """Read from *physical* from now on."""
        self._read = physical.read
        self.ram_size = physical.size

    def read(self, address: int, size: int) -> bytes:
        """Return *size* bytes at kernel virtual *address*.

        :raises CorruptStructure: nothing is mapped there
        """
        physical = address - self.page_offset
        if 0 <= physical <= self.ram_size - size:
            return self._read(physical, size)
        if START_KERNEL_MAP <= address < START_KERNEL_MAP + KERNEL_IMAGE_SIZE:
            physical = address - START_KERNEL_MAP + self.phys_base
            if 0 <= physical <= self.ram_size - size:
                return self._read(physical, size)
        if address < self.page_offset:
            raise CorruptStructure("pointer", address, "is not a kernel address")
        try:
            return self._slow(address, size)
        except LookupError as error:
            raise CorruptStructure("pointer", address, "points at nothing mapped") from error

    def holds(self, places: Sequence[Place]) -> bool:
        """Tell whether every one of *places*, each an address and bytes, still has these bytes.

        :raises CorruptStructure: nothing is mapped there
        """
        start, size, read = self.page_offset, self.ram_size, self._read
        for address, data in places:
            length = len(data)
            # All but vmalloc'd memory is in the direct map, which spares a call each.
            physical = address - start
            found = read(physical, length) if 0 <= physical <= size - length else self.read(address, length)
            if found != data:
                return False
        return True

    def place(self, address: int, size: int) -> Place:
        """Return *address*, and the *size* bytes that are there.

        :raises CorruptStructure: nothing is mapped there
        """
        return address, self.read(address, size)

    def u64(self, address: int) -> int:
        """Return the 64-bit word at *address*."""
        return int.from_bytes(self.read(address, 8), "little")

    def u32(self, address: int) -> int:
        """Return the 32-bit word at *address*."""
        return int.from_bytes(self.read(address, 4), "little")

    def pfn(self, page: int) -> int:
        """Return the frame number of ``struct page *`` *page* (``page_to_pfn()``)."""
        for base, first, count in self.page_arrays:
            index, rest = divmod(page - base, self.page_struct_size)
            if not rest and 0 <= index < count:
                return first + index
        raise CorruptStructure("struct page", page, "is outside the memory map")

    def page_bytes(self, page: int, offset: int, size: int) -> bytes:
        """Return bytes of the frame behind ``struct page *`` *page*."""
        start = (self.pfn(page) << PAGE_SHIFT) + offset
        if size < 0 or start + size > self.ram_size:
            raise CorruptStructure("struct page", page, f"cannot hold {size} bytes at {offset}")
        return self._read(start, size)
