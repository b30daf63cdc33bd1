"""Pipes (``fs/pipe.c``)."""
