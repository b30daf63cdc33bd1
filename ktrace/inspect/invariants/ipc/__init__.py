"""Invariants of System V IPC (``ipc/``)."""
