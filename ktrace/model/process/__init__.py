"""Processes (``kernel/*.c``)."""

RULES = (
    "children",
    "clock",
    "credentials",
    "job_control",
    "prctl",
    "proc_userns",
    "process",
    "signals",
    "sleep",
    "sysctl",
    "timer",
)
"""Modules that register rules when they are imported."""
