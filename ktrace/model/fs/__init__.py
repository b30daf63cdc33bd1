"""Files (``fs/*.c``, ``mm/shmem.c``)."""

RULES = (
    "access",
    "anon_files",
    "timerfd",
    "attr",
    "chdir",
    "dup",
    "epoll",
    "epoll_ctl",
    "epoll_wait",
    "eventfd",
    "fallocate",
    "fcntl",
    "namei",
    "open",
    "poll",
    "read_write",
    "readdir",
    "stat",
    "sync",
    "utimes",
)
"""Modules that register rules when they are imported."""
