"""Invariants of sockets (``net/``)."""
