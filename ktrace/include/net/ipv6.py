"""IPv6 (``include/net/ipv6.h``)."""

from __future__ import annotations

SIN6_LEN_RFC2133 = 24
IPV6_MAXPLEN = 65535

IPV6_FLOWINFO_MASK = 0xFFFFFFF
