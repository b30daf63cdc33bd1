"""memfd_create() (``include/uapi/linux/memfd.h``)."""

from __future__ import annotations

MFD_CLOEXEC = 0x1
MFD_ALLOW_SEALING = 0x2
