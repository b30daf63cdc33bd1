"""Memory of processes (``mm/*.c``, ``lib/iov_iter.c``)."""

RULES = ("madvise", "mmap", "mremap")
"""Modules that register rules when they are imported."""
