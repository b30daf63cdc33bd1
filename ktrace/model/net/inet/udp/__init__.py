"""UDP and UDP-Lite (``net/ipv4/udp.c``, ``net/ipv6/udp.c``)."""

RULES = ("ops", "udp6")
"""Modules that register rules when they are imported."""
