"""Files and inodes (``fs/*.c``)."""
