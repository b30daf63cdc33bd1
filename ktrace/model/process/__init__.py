"""Processes (``kernel/*.c``)."""

RULES = ("clock", "credentials", "job_control", "proc_userns", "process", "signals", "sysctl", "timer")
"""Modules that register rules when they are imported."""
