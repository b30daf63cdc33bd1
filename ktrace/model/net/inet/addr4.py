"""Addresses of IPv4, as text (``include/uapi/linux/in.h``, ``include/linux/in.h``)."""

from __future__ import annotations

import ipaddress

ANY = "0.0.0.0"
LOOPBACK_ADDRESS, LIMITED_BROADCAST = "127.0.0.1", "255.255.255.255"
LOOPBACK = ipaddress.IPv4Network("127.0.0.0/8")
