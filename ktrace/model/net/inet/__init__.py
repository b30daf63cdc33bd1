"""IPv4 and IPv6 (``net/ipv4/*.c``, ``net/ipv6/*.c``)."""

RULES = ("icmp", "socket", "socket6")
"""Modules that register rules when they are imported."""
