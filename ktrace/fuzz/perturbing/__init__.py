"""Change one observed value of a recorded step, and see whether the check notices."""
