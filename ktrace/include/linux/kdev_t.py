"""``include/linux/kdev_t.h``: numbers of devices."""

from __future__ import annotations

MINORBITS = 20


def new_encode_dev(dev: int) -> int:
    """Return a ``dev_t`` as user space has it."""
    major, minor = dev >> 20, dev & 0xFFFFF
    return minor & 0xFF | major << 8 | (minor & ~0xFF) << 12
