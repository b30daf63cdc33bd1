"""Calls on pipes (``fs/pipe.c``, ``fs/splice.c``)."""
