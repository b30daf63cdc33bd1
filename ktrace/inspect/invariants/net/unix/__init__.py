"""Invariants of AF_UNIX (``net/unix/``)."""
