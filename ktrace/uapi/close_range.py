"""close_range() (``include/uapi/linux/close_range.h``)."""

from __future__ import annotations

CLOSE_RANGE_UNSHARE = 1 << 1
CLOSE_RANGE_CLOEXEC = 1 << 2
