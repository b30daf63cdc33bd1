"""Pages and address spaces (``arch/x86/include/asm/page_types.h``, ``arch/x86/include/asm/page_64.h``)."""

from __future__ import annotations

PAGE_SHIFT = 12
PAGE_SIZE = 1 << PAGE_SHIFT
PAGE_MASK = ~(PAGE_SIZE - 1)

TASK_SIZE_MAX = (1 << 47) - PAGE_SIZE
"""``task_size_max()`` with page tables of four levels."""
