"""Files (``fs/*.c``, ``mm/shmem.c``)."""

RULES = ("epoll", "fcntl", "namei", "poll", "read_write", "stat")
"""Modules that register rules when they are imported."""
