"""Invariants of files (``fs/``)."""
