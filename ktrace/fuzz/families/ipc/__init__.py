"""Calls of System V IPC (``ipc/*.c``)."""
