"""eventfd() (``include/linux/eventfd.h``)."""

from __future__ import annotations

from ktrace.uapi.fcntl import O_CLOEXEC, O_NONBLOCK

EFD_SEMAPHORE = 1 << 0
EFD_CLOEXEC = O_CLOEXEC
EFD_NONBLOCK = O_NONBLOCK
