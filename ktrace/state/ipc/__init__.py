"""System V IPC (``ipc/*.c``)."""
