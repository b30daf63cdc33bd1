"""Open a guest's kernel for reading: types and symbols from vmlinux, memory from the machine."""

from __future__ import annotations

import os
import re
from functools import cached_property
from pathlib import Path
from typing import Any

import drgn

from ktrace.errors import UsageError
from ktrace.include.asm.page_types import PAGE_SHIFT, PAGE_SIZE
from ktrace.inspect.corrupt import explained
from ktrace.inspect.members import type_of
from ktrace.inspect.memory import START_KERNEL_MAP, KernelMemory, PhysicalMemory
from ktrace.interrupt import held_back

_NUMBERED = re.compile(r"\.[0-9]+$")
PAGE_OFFSET_4LEVEL = 0xFFFF888000000000
"""``__PAGE_OFFSET_BASE_L4``; kernels with a movable direct map say so in ``page_offset_base``."""

VMEMMAP_4LEVEL = 0xFFFFEA0000000000
"""``__VMEMMAP_BASE_L4``; likewise ``vmemmap_base``."""

SECTION_SIZE = 1 << 27
"""``SECTION_SIZE_BITS`` (``arch/x86/include/asm/sparsemem.h``)."""

SECTION_MAP_MASK = ~0x3F
"""What is left of ``section_mem_map`` without its flags."""


class _Current:
    """The memory that drgn reads now; its segments cannot be taken back."""

    def __init__(self, physical: PhysicalMemory) -> None:
        self.read = physical.read


class _Nothing:
    """The memory of a machine that was never switched on."""

    size = 1 << 26

    def read(self, address: int, count: int) -> bytes:
        """Return zeros."""
        del address
        return bytes(count)


class LiveKernel:
    """Hold what readers need: drgn's program, fast memory, symbols.

    :param prog: drgn's program, for types and for whatever is not hot
    :param memory: kernel virtual memory
    """

    def __init__(self, prog: drgn.Program, memory: KernelMemory, current: _Current) -> None:
        self.prog = prog
        self.memory = memory
        self._current = current
        self._symbols: dict[int, str] = {}
        self._functions: dict[int, str] = {}
        self._addresses: dict[str, int | None] = {}

    def use(self, physical: PhysicalMemory) -> None:
        """Read from *physical* from now on: another guest that runs the same kernel, of the same size."""
        self._current.read = physical.read
        self.memory.use(physical)

    @classmethod
    def attach(cls, physical: PhysicalMemory, vmlinux: Path, vmcoreinfo: bytes) -> LiveKernel:
        """Open the kernel that runs in *physical*; drgn loses a KeyboardInterrupt, so none comes meanwhile.

        :param vmcoreinfo: the text of the guest's vmcoreinfo note
        :raises UsageError: *vmlinux* has no debug information, or is not this kernel's
        """
        with held_back():
            return cls._attached(physical, vmlinux, vmcoreinfo)

    @classmethod
    def _attached(cls, physical: PhysicalMemory, vmlinux: Path, vmcoreinfo: bytes) -> LiveKernel:
        # What plugins of drgn add to programs is not what ktrace was tested with, and to look for them takes as long as
        # all other set-up of a program. DRGN_PLUGINS still names those that are wanted.
        os.environ.setdefault("DRGN_DISABLE_PLUGINS", "*")
        prog = drgn.Program(drgn.Platform(drgn.Architecture.X86_64))
        prog.set_linux_kernel_custom(vmcoreinfo, True)
        current = _Current(physical)

        def read(address: int, count: int) -> bytes:
            return current.read(address, count)

        def segment(_address: int, count: int, offset: int, _physical: bool) -> bytes:
            return read(offset, count)

        size = physical.size
        prog.add_memory_segment(0, size, segment, True)
        try:
            prog.load_debug_info([str(vmlinux)])
        except (drgn.MissingDebugInfoError, ValueError, OSError) as error:
            raise UsageError(
                f"cannot use {str(vmlinux)!r}: {error}", "give the vmlinux that this kernel was built with"
            ) from error
        phys_base = _vmcoreinfo_number(vmcoreinfo, "phys_base") or 0
        page_offset = _word(prog, physical, "page_offset_base", phys_base) or PAGE_OFFSET_4LEVEL
        vmemmap = _word(prog, physical, "vmemmap_base", phys_base) or VMEMMAP_4LEVEL

        def slow(address: int, count: int) -> bytes:
            try:
                return bytes(prog.read(address, count))
            except drgn.FaultError as error:
                raise LookupError(str(error)) from error

        memory = KernelMemory(
            physical,
            page_offset=page_offset,
            phys_base=phys_base,
            vmemmap=vmemmap,
            page_struct_size=type_of(prog, "struct page").size,
            slow=slow,
        )
        # Two more segments spare drgn, too, its walk of the page tables.
        prog.add_memory_segment(page_offset, size, lambda a, n, o, p: read(o, n), False)
        prog.add_memory_segment(START_KERNEL_MAP, size - phys_base, lambda a, n, o, p: read(o + phys_base, n), False)
        with explained("the array of pages"):
            memory.page_arrays = _page_arrays(prog, size) or memory.page_arrays
        return cls(prog, memory, current)

    @classmethod
    def switched_off(cls, prog: drgn.Program) -> LiveKernel:
        """Return a kernel whose types and symbols *prog* has, in a machine whose memory is all zeros."""
        nothing = _Nothing()
        memory = KernelMemory(
            nothing,
            page_offset=PAGE_OFFSET_4LEVEL,
            phys_base=0,
            vmemmap=VMEMMAP_4LEVEL,
            page_struct_size=type_of(prog, "struct page").size,
            slow=nothing.read,
        )
        return cls(prog, memory, _Current(nothing))

    def symbol(self, address: int) -> str:
        """Return the name of the symbol at *address*, or its hex where there is none."""
        name = self._symbols.get(address)
        if name is None:
            try:
                found = self.prog.symbol(address)
                # The compiler numbers variables that are static in a function: empty_fops.4.
                name = (
                    _NUMBERED.sub("", found.name)
                    if found.address == address
                    else f"{found.name}+{address - found.address:#x}"
                )
            except LookupError:
                name = f"{address:#x}"
            self._symbols[address] = name
        return name

    def variable(self, name: str) -> drgn.Object:
        """Return the variable called *name*.

        :raises UsageError: the kernel has no such variable
        """
        try:
            return self.prog[name]
        except LookupError:
            raise UsageError(f"this kernel has no variable {name!r}", "was it configured out?") from None

    def address_of(self, symbol: str) -> int:
        """Return the address of *symbol*.

        :raises UsageError: the kernel has no such symbol
        """
        if (address := self._find(symbol)) is None:
            raise UsageError(f"this kernel has no symbol {symbol!r}", "was it configured out?")
        return address

    def has_symbol(self, symbol: str) -> bool:
        """Tell whether the kernel has a symbol of that name."""
        return self._find(symbol) is not None

    def caller(self, return_address: int) -> str:
        """Return the name of the function that made the call which returns to *return_address*, or its hex."""
        name = self._functions.get(return_address)
        if name is None:
            try:
                name = str(self.prog.symbol(return_address - 1).name)
            except (LookupError, OverflowError):
                # A kernel without frame pointers leaves anything there, even 0.
                name = f"{return_address:#x}"
            self._functions[return_address] = name
        return name

    def _find(self, symbol: str) -> int | None:
        """Return the address of *symbol*, if there is one: drgn needs a millisecond to say so, for every new guest."""
        if symbol not in self._addresses:
            try:
                self._addresses[symbol] = int(self.prog.symbol(symbol).address)
            except LookupError:
                self._addresses[symbol] = None
        return self._addresses[symbol]

    @cached_property
    def config(self) -> dict[str, Any]:
        """Numbers of this kernel that the model needs to know."""
        return {"page_size": 4096}


def _page_arrays(prog: drgn.Program, size: int) -> list[tuple[int, int, int]]:
    """Return where the ``struct page`` arrays lie: address, first frame and number of frames of each.

    CONFIG_SPARSEMEM has an array per section of 128 MiB (``include/linux/mmzone.h: struct mem_section``), which with
    CONFIG_SPARSEMEM_VMEMMAP follow on each other; CONFIG_FLATMEM has the one that ``mem_map`` points at.
    """
    frames = size >> PAGE_SHIFT
    try:
        sections = prog["mem_section"]
    except KeyError:
        return [(prog["mem_map"].value_(), 0, frames)]
    per_root = max(1, PAGE_SIZE // type_of(prog, "struct mem_section").size)
    if sections.type_.kind == drgn.TypeKind.ARRAY:
        per_root = sections.type_.type.length
    found = []
    for number in range((size + SECTION_SIZE - 1) // SECTION_SIZE):
        root = sections[number // per_root]
        base = root[number % per_root].section_mem_map.value_() & SECTION_MAP_MASK
        first = number * SECTION_SIZE >> PAGE_SHIFT
        if base:
            page = base + first * type_of(prog, "struct page").size & (1 << 64) - 1
            found.append((page, first, min(SECTION_SIZE >> PAGE_SHIFT, frames - first)))
    return found


def _vmcoreinfo_number(text: bytes, name: str) -> int | None:
    for line in text.decode("ascii", "replace").splitlines():
        if line.startswith(f"NUMBER({name})="):
            return int(line.partition("=")[2], 0)
    return None


def _word(prog: drgn.Program, physical: PhysicalMemory, symbol: str, phys_base: int) -> int | None:
    """Read a 64-bit variable of the kernel image by hand: the program cannot translate addresses yet."""
    try:
        address = prog.symbol(symbol).address
    except LookupError:
        return None
    return int.from_bytes(physical.read(address - START_KERNEL_MAP + phys_base, 8), "little")
