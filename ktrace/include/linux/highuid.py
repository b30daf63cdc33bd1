"""Ids that have no place in a namespace (``include/linux/highuid.h``)."""

from __future__ import annotations

DEFAULT_OVERFLOWUID = 65534
DEFAULT_OVERFLOWGID = 65534
