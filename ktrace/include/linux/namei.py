"""Walking paths (``include/linux/namei.h``)."""

from __future__ import annotations

MAXSYMLINKS = 40
