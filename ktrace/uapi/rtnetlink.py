"""Routes (``include/uapi/linux/rtnetlink.h``)."""

from __future__ import annotations

RTN_LOCAL = 2
RTAX_QUICKACK = 15
