"""Unix sockets (``include/uapi/linux/un.h``, ``include/uapi/linux/sockios.h``)."""

from __future__ import annotations

SIOCUNIXFILE = 0x89E0

SIZEOF_SOCKADDR_UN = 110
SUN_PATH = 2
"""Offset of ``sun_path``."""

UNIX_PATH_MAX = 108
