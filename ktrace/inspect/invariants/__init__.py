"""Invariants: checks of kernel structures against each other, without a model."""
