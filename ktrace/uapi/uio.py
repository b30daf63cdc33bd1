"""Vectors (``include/uapi/linux/uio.h``)."""

from __future__ import annotations

UIO_MAXIOV = 1024

UIO_FASTIOV = 8
