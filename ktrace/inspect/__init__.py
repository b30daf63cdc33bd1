"""Read a live kernel's own structures. Nothing here knows the model."""
