"""Invariants of pipes (``fs/pipe.c``)."""
