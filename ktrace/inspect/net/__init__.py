"""Sockets (``net/socket.c``), and a room for each family."""
