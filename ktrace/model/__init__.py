"""The reference model: what Linux does on these calls, in plain Python, each rule citing its kernel function."""
