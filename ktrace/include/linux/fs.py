"""Open files and permissions (``include/linux/fs.h``)."""

from __future__ import annotations

from ktrace.include.asm.page_types import PAGE_MASK
from ktrace.uapi.limits import INT_MAX, LLONG_MAX

MAY_EXEC = 0x1
MAY_WRITE = 0x2
MAY_READ = 0x4

FMODE_READ = 0x1
FMODE_WRITE = 0x2
FMODE_LSEEK = 0x4
FMODE_PREAD = 0x8
FMODE_PWRITE = 0x10

I_CTIME_QUERIED = 1 << 31

MAX_LFS_FILESIZE = LLONG_MAX
MAX_RW_COUNT = INT_MAX & PAGE_MASK
