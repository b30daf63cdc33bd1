"""Files (``fs/*.c``, ``mm/shmem.c``)."""

RULES = ("anon_files", "epoll", "eventfd", "fcntl", "namei", "open", "poll", "read_write", "stat")
"""Modules that register rules when they are imported."""
