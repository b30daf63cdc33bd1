"""Shared memory (``include/uapi/linux/shm.h``)."""

from __future__ import annotations

SHM_HUGETLB = 0o4000
SHM_NORESERVE = 0o10000
SHM_RDONLY = 0o10000
SHM_RND = 0o20000
SHM_REMAP = 0o40000
SHM_EXEC = 0o100000
SHM_DEST = 0o1000
SHM_LOCKED = 0o2000
"""Of the mode of a segment; ``ipc/shm.c`` defines these two again, as the C library does."""

SHM_LOCK = 11
SHM_UNLOCK = 12
SHM_STAT = 13
SHM_INFO = 14
SHM_STAT_ANY = 15

SHM_HUGE_SHIFT = 26
SHM_HUGE_2MB = 21 << SHM_HUGE_SHIFT
SHM_HUGE_1GB = 30 << SHM_HUGE_SHIFT
