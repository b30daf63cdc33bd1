"""Walks of the kernel's own containers (``lib/*.c``)."""
