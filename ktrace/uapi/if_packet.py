"""Packet sockets (``include/uapi/linux/if_packet.h``)."""

from __future__ import annotations

SIZEOF_SOCKADDR_LL = 20
