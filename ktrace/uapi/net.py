"""States of a socket (``include/uapi/linux/net.h``)."""

from __future__ import annotations

from ktrace.uapi.socket import AF_MAX

NPROTO = AF_MAX

SS_FREE = 0
SS_UNCONNECTED = 1
SS_CONNECTING = 2
SS_CONNECTED = 3
SS_DISCONNECTING = 4
