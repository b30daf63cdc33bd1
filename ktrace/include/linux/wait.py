"""Entries of wait queues (``include/linux/wait.h``)."""

from __future__ import annotations

WQ_FLAG_EXCLUSIVE = 0x1
WQ_FLAG_WOKEN = 0x2
WQ_FLAG_BOOKMARK = 0x4
WQ_FLAG_CUSTOM = 0x8
WQ_FLAG_DONE = 0x10
WQ_FLAG_PRIORITY = 0x20
