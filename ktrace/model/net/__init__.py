"""Sockets (``net/socket.c``), and a room for each family."""

RULES = ("socket", "socket_calls", "sockopt", "sockopt_get")
"""Modules that register rules when they are imported."""
