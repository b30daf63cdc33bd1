"""Groups of permission bits (``include/linux/stat.h``)."""

from __future__ import annotations

from ktrace.uapi.stat import (
    S_IRGRP,
    S_IROTH,
    S_IRUSR,
    S_IRWXG,
    S_IRWXO,
    S_IRWXU,
    S_ISGID,
    S_ISUID,
    S_ISVTX,
    S_IWGRP,
    S_IWOTH,
    S_IWUSR,
    S_IXGRP,
    S_IXOTH,
    S_IXUSR,
)

S_IRWXUGO = S_IRWXU | S_IRWXG | S_IRWXO
S_IALLUGO = S_ISUID | S_ISGID | S_ISVTX | S_IRWXUGO
S_IRUGO = S_IRUSR | S_IRGRP | S_IROTH
S_IWUGO = S_IWUSR | S_IWGRP | S_IWOTH
S_IXUGO = S_IXUSR | S_IXGRP | S_IXOTH

UTIME_NOW = (1 << 30) - 1
UTIME_OMIT = (1 << 30) - 2
"""Nanoseconds that stand for now, and for leaving a time alone."""
