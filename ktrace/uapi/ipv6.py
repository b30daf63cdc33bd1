"""The header of IPv6 (``include/uapi/linux/ipv6.h``)."""

from __future__ import annotations

SIZEOF_IPV6HDR = 40
