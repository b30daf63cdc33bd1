"""The header of IPv6, and what tells of a packet (``include/uapi/linux/ipv6.h``)."""

from __future__ import annotations

IPV6_MIN_MTU = 1280

SIZEOF_IPV6HDR = 40
SIZEOF_IN6_PKTINFO = 20
