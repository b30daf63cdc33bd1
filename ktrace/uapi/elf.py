"""ELF files, such as core dumps (``include/uapi/linux/elf.h``, ``include/uapi/linux/elf-em.h``)."""

from __future__ import annotations

ET_CORE = 4
EM_X86_64 = 62

PT_LOAD = 1
PT_NOTE = 4

NT_PRSTATUS = 1
