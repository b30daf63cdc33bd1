"""Processes (``kernel/*.c``)."""

RULES = ("clock", "credentials", "process", "signals", "sysctl", "timer")
"""Modules that register rules when they are imported."""
