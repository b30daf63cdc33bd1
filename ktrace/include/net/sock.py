"""Sockets of every family (``include/net/sock.h``)."""

from __future__ import annotations

SK_NO_REUSE = 0
SK_CAN_REUSE = 1
SK_FORCE_REUSE = 2

RCV_SHUTDOWN = 1
SEND_SHUTDOWN = 2
SHUTDOWN_MASK = 3

SOCK_BINDADDR_LOCK = 4
SOCK_BINDPORT_LOCK = 8
SOCK_CONNECT_BIND = 16
