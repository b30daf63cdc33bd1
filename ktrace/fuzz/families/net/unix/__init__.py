"""Calls on AF_UNIX sockets (``net/unix/*.c``)."""
