"""The header of IPv4 (``include/uapi/linux/ip.h``)."""

from __future__ import annotations

IPTOS_TOS_MASK = 0x1E
IPTOS_PREC_INTERNETCONTROL = 0xC0

SIZEOF_IPHDR = 20
