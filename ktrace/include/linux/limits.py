"""Bounds of integers by their width (``include/linux/limits.h``)."""

from __future__ import annotations

U8_MAX = (1 << 8) - 1
U16_MAX = (1 << 16) - 1
U32_MAX = (1 << 32) - 1
U64_MAX = (1 << 64) - 1
SIZE_MAX = U64_MAX
