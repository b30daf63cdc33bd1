"""Constants of ``include/linux/``."""
