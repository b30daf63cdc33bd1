"""Calls on sockets, and a room for each family."""
