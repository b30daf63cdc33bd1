"""AF_NETLINK (``net/netlink/af_netlink.c``)."""

RULES = ("sock",)
"""Modules that register rules when they are imported."""
