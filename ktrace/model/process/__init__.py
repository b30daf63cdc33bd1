"""Processes (``kernel/*.c``)."""

RULES = (
    "children",
    "clock",
    "credentials",
    "itimer",
    "job_control",
    "passed_over",
    "passing",
    "posix_timer",
    "prctl",
    "proc_userns",
    "process",
    "program",
    "siginfo",
    "signals",
    "sleep",
    "sysctl",
    "timer",
)
"""Modules that register rules when they are imported."""
