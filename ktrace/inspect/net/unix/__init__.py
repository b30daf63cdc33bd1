"""AF_UNIX (``net/unix/*.c``)."""
