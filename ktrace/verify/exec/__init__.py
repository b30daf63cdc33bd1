"""Programs of this machine in a guest, call by call."""
