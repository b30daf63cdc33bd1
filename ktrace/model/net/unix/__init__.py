"""AF_UNIX (``net/unix/*.c``)."""

RULES = ("ops",)
"""Modules that register rules when they are imported."""
