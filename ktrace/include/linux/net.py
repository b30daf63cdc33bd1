"""Sockets inside the kernel (``include/linux/net.h``)."""

from __future__ import annotations

from ktrace.uapi.socket import SOCK_PACKET

SOCKWQ_ASYNC_NOSPACE = 0
SOCKWQ_ASYNC_WAITDATA = 1

SOCK_NOSPACE = 2
SOCK_PASSCRED = 3
SOCK_PASSSEC = 4
SOCK_SUPPORT_ZC = 5
SOCK_CUSTOM_SOCKOPT = 6

SOCK_MAX = SOCK_PACKET + 1
SOCK_TYPE_MASK = 0xF

SOCK_WAKE_IO = 0
SOCK_WAKE_WAITD = 1
SOCK_WAKE_SPACE = 2
SOCK_WAKE_URG = 3
