"""What a pid can be of (``include/linux/pid.h``)."""

from __future__ import annotations

PIDTYPE_PGID = 2
PIDTYPE_SID = 3
