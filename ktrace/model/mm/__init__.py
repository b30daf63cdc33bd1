"""Memory of processes (``mm/*.c``, ``lib/iov_iter.c``)."""

RULES = ("madvise", "memfd", "mlock", "mmap", "mremap")
"""Modules that register rules when they are imported."""
