"""pidfd_open() (``include/uapi/linux/pidfd.h``)."""

from __future__ import annotations

from ktrace.uapi.fcntl import O_NONBLOCK

PIDFD_NONBLOCK = O_NONBLOCK
