"""Raw and ping sockets (``net/ipv4/raw.c``, ``ping.c``, and their IPv6 likes)."""

RULES = ("raw", "raw6")
"""Modules that register rules when they are imported."""
