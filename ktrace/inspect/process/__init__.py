"""Processes (``kernel/*.c``)."""
