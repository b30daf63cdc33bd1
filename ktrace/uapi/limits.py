"""Limits of names and pipes (``include/uapi/linux/limits.h``), and those of the C types, as ``<limits.h>`` has them."""

from __future__ import annotations

NGROUPS_MAX = 65536
NAME_MAX = 255
PATH_MAX = 4096
PIPE_BUF = 4096

USHRT_MAX = (1 << 16) - 1
INT_MAX = (1 << 31) - 1
INT_MIN = -INT_MAX - 1
UINT_MAX = (1 << 32) - 1
LONG_MAX = (1 << 63) - 1
LLONG_MAX = (1 << 63) - 1
ULONG_MAX = (1 << 64) - 1

ARG_MAX = 0x20000
LINK_MAX = 127
MAX_CANON = 255
MAX_INPUT = 255
XATTR_NAME_MAX = 255
XATTR_SIZE_MAX = 0x10000
XATTR_LIST_MAX = 0x10000
RTSIG_MAX = 32
