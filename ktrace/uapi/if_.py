"""Network interfaces (``include/uapi/linux/if.h``)."""

from __future__ import annotations

IFNAMSIZ = 16
