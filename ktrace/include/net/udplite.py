"""UDP-Lite sockets (``include/net/udplite.h``)."""

from __future__ import annotations

UDPLITE_SEND_CSCOV = 10
UDPLITE_RECV_CSCOV = 11
