"""Units of time (``include/vdso/time64.h``)."""

from __future__ import annotations

NSEC_PER_SEC = 1000000000
