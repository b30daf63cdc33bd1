"""Device numbers (``include/uapi/linux/major.h``)."""

from __future__ import annotations

MEM_MAJOR = 1
