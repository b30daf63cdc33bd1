"""Memory of processes (``mm/*.c``)."""
