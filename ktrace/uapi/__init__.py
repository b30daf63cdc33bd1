"""Names and numbers of the kernel's interface (``include/uapi/``), each owned once; every room may import them."""
