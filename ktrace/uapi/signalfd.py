"""signalfd() (``include/uapi/linux/signalfd.h``)."""

from __future__ import annotations

from ktrace.uapi.fcntl import O_CLOEXEC, O_NONBLOCK

SFD_CLOEXEC = O_CLOEXEC
SFD_NONBLOCK = O_NONBLOCK
