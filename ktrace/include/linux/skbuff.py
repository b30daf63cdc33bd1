"""Socket buffers (``include/linux/skbuff.h``)."""

from __future__ import annotations

MAX_SKB_FRAGS = 17
