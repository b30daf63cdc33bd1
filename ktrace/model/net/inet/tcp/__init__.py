"""TCP (``net/ipv4/tcp*.c``, ``net/ipv6/tcp_ipv6.c``)."""

RULES = ("ops", "tcp6")
"""Modules that register rules when they are imported."""
