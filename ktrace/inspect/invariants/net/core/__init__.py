"""Invariants of what all families share (``net/core/``)."""
