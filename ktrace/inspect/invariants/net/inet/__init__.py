"""Invariants of IPv4 and IPv6 (``net/ipv4/``, ``net/ipv6/``)."""
