"""AF_NETLINK (``net/netlink/af_netlink.c``)."""

RULES = ("ops",)
"""Modules that register rules when they are imported."""
