"""Memory management (``mm/``)."""
