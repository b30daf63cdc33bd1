"""AF_PACKET (``net/packet/af_packet.c``)."""

RULES = ("sock",)
"""Modules that register rules when they are imported."""
