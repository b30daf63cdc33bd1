"""Message queues (``include/uapi/linux/msg.h``)."""

from __future__ import annotations

MSG_STAT = 11
MSG_INFO = 12
MSG_STAT_ANY = 13
MSG_NOERROR = 0o10000
MSG_EXCEPT = 0o20000
MSG_COPY = 0o40000
