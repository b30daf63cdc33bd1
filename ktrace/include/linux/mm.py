"""Flags of mappings (``include/linux/mm.h``)."""

from __future__ import annotations

VM_READ = 0x1
VM_WRITE = 0x2
VM_EXEC = 0x4
VM_SHARED = 0x8
VM_MAYREAD = 0x10
VM_MAYWRITE = 0x20
VM_MAYEXEC = 0x40
VM_MAYSHARE = 0x80
VM_LOCKED = 0x2000
VM_DONTCOPY = 0x20000
VM_NORESERVE = 0x200000
