"""Pipes, FIFOs and the splice family (``fs/pipe.c``, ``fs/splice.c``, ``kernel/watch_queue.c``)."""

RULES = ("copy_range", "fifo", "pipe_calls", "splice_calls")
"""Modules that register rules when they are imported."""
