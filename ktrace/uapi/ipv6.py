"""The header of IPv6, and what tells of a packet (``include/uapi/linux/ipv6.h``)."""

from __future__ import annotations

IPV6_MIN_MTU = 1280

SIZEOF_IPV6HDR = 40
SIZEOF_IN6_PKTINFO = 20

IPV6_SRCRT_STRICT = 0x01
IPV6_SRCRT_TYPE_0 = 0
IPV6_SRCRT_TYPE_2 = 2
IPV6_SRCRT_TYPE_3 = 3
IPV6_SRCRT_TYPE_4 = 4
IPV6_OPT_ROUTERALERT_MLD = 0x0000
