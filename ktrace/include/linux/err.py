"""Errors in pointers (``include/linux/err.h``)."""

from __future__ import annotations

MAX_ERRNO = 4095
