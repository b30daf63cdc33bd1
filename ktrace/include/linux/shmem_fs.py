"""Flags of files in shared memory (``include/linux/shmem_fs.h``), by 7.3."""

from __future__ import annotations

SHMEM_F_NORESERVE = 0x1
