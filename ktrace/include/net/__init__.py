"""Constants of ``include/net/``."""
