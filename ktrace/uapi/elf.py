"""ELF files, such as core dumps (``include/uapi/linux/elf.h``, ``include/uapi/linux/elf-em.h``)."""

from __future__ import annotations

ET_EXEC = 2
ET_DYN = 3
ET_CORE = 4

EM_386 = 3
EM_ARM = 40
EM_X86_64 = 62
EM_AARCH64 = 183
EM_RISCV = 243

PT_LOAD = 1
PT_DYNAMIC = 2
PT_INTERP = 3
PT_NOTE = 4

DT_NEEDED = 1
DT_STRTAB = 5

NT_PRSTATUS = 1
