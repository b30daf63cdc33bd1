"""Read a process's own memory from guest RAM by its page tables, without asking the guest."""

from __future__ import annotations

from ktrace.include.asm.page_types import PAGE_SHIFT, PAGE_SIZE, TASK_SIZE_MAX
from ktrace.inspect.corrupt import CorruptStructure
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import Layout

TS_COMPAT = 0x0002
"""``arch/x86/include/asm/thread_info.h``."""
_PRESENT, _USER, _PSE = 1 << 0, 1 << 2, 1 << 7
"""``_PAGE_PRESENT``, ``_PAGE_USER``, ``_PAGE_PSE`` (``arch/x86/include/asm/pgtable_types.h``)."""
_FRAME = (1 << 52) - PAGE_SIZE
"""``PTE_PFN_MASK`` without memory encryption."""
_SHIFTS = (39, 30, 21, PAGE_SHIFT)
"""``PGDIR_SHIFT``, ``PUD_SHIFT``, ``PMD_SHIFT``, ``PAGE_SHIFT`` of four levels."""
_LARGE = (30, 21)
"""Levels at which an entry may be a page itself."""


class UserMemory:
    """Read the memory of tasks that stand still.

    :param levels: of their page tables; other than four are nothing that is read here
    """

    def __init__(self, kernel: LiveKernel, levels: int = 4) -> None:
        self._memory = kernel.memory
        self._mm = Layout(kernel.prog, "struct task_struct", "mm")
        self._status = Layout(kernel.prog, "struct task_struct", "thread_info.status")
        self._pgd = Layout(kernel.prog, "struct mm_struct", "pgd")
        self._known = levels == 4

    def read(self, task: int, addr: int, length: int) -> bytes | None:
        """Return *length* bytes at *addr* of the ``task_struct`` at *task*.

        ``None`` where a page is not there now, which says nothing: the kernel may have yet to fetch it.
        """
        if not self._known or not 0 <= addr <= TASK_SIZE_MAX - length:
            return None
        memory = self._memory
        try:
            mm = self._mm.read(memory, task).mm
            if not mm:
                return None
            pgd = self._pgd.read(memory, mm).pgd
            parts: list[bytes] = []
            while length:
                size = min(length, PAGE_SIZE - addr % PAGE_SIZE)
                physical = self._physical(pgd, addr)
                if physical is None or physical + size > memory.ram_size:
                    return None
                parts.append(memory.read(memory.page_offset + physical, size))
                addr, length = addr + size, length - size
        except CorruptStructure:
            return None
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def in_32bit_call(self, task: int) -> bool:
        """Tell whether the ``task_struct`` at *task* is in a call of 32 bits (``in_ia32_syscall()``)."""
        return bool(self._status.read(self._memory, task).thread_info_status & TS_COMPAT)

    def _physical(self, table: int, addr: int) -> int | None:
        """Return where in RAM the page tables at *table* have *addr*; ``None``: nowhere."""
        memory = self._memory
        for shift in _SHIFTS:
            entry = memory.u64(table + (addr >> shift & 511) * 8)
            if entry & (_PRESENT | _USER) != _PRESENT | _USER:
                return None
            frame = entry & _FRAME
            if entry & _PSE and shift in _LARGE:
                rest = (1 << shift) - 1
                return frame & ~rest | addr & rest
            table = memory.page_offset + frame
        return frame | addr % PAGE_SIZE


def page_table_levels(vmcoreinfo: bytes) -> int:
    """Return how many levels the page tables of a kernel have, by its vmcoreinfo note."""
    return 5 if b"NUMBER(pgtable_l5_enabled)=1" in vmcoreinfo else 4
