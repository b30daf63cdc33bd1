"""What all families share (``net/core/*.c``)."""
