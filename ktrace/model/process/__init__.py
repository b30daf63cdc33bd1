"""Processes (``kernel/*.c``)."""

RULES = (
    "children",
    "clock",
    "credentials",
    "itimer",
    "job_control",
    "passing",
    "prctl",
    "proc_userns",
    "process",
    "signals",
    "sleep",
    "sysctl",
    "timer",
)
"""Modules that register rules when they are imported."""
