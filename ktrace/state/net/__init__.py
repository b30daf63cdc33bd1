"""Sockets (``net/*``)."""
