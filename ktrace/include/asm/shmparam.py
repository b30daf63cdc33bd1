"""Where shared memory may be attached (``arch/x86/include/asm/shmparam.h``)."""

from __future__ import annotations

from ktrace.include.asm.page_types import PAGE_SIZE

SHMLBA = PAGE_SIZE
