"""How fallocate(2) changes a file (``include/uapi/linux/falloc.h``)."""

from __future__ import annotations

FALLOC_FL_KEEP_SIZE = 0x01
FALLOC_FL_PUNCH_HOLE = 0x02
