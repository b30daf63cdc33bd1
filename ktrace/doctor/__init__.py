"""What is missing on this machine, what works, and how to get it."""
