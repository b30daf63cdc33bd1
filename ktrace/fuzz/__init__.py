"""Random calls, guided by the model."""

MOST_JOBS = 4
"""Guests at a time, where nobody said how many."""
