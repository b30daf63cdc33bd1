"""What a program needs of this machine's files, and how they come into a guest."""
