"""Files (``fs/*.c``, ``mm/shmem.c``)."""

RULES = ("epoll", "fcntl", "namei", "open", "poll", "read_write", "stat")
"""Modules that register rules when they are imported."""
