"""Flags of messages that programs do not pass (``include/linux/socket.h``)."""

from __future__ import annotations

MSG_SENDPAGE_NOTLAST = 0x20000
MSG_SPLICE_PAGES = 0x8000000
MSG_CMSG_COMPAT = 0x80000000

MSG_INTERNAL_SENDMSG_FLAGS = MSG_SPLICE_PAGES
