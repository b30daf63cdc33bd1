"""Calls on descriptors of any kind."""
