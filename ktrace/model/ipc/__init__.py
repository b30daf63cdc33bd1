"""System V IPC (``ipc/*.c``)."""

RULES = ("msg", "msgctl", "ns_file", "nsproxy", "proc_sys", "proc_sysvipc", "sem", "semctl", "shm", "shmctl")
"""Modules that register rules when they are imported."""
