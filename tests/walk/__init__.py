"""A walk over the whole vocabulary: every call and every constant, against the model and the kernel."""
