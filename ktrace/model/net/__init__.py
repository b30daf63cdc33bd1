"""Sockets (``net/socket.c``), and a room for each family."""

RULES = ("socket", "socket_calls", "socket_message", "sockopt", "sockopt_get")
"""Modules that register rules when they are imported."""
