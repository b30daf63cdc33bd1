"""ioctl() of any file (``include/uapi/asm-generic/ioctls.h``)."""

from __future__ import annotations

TCGETS = 0x5401
TIOCOUTQ = 0x5411
TIOCSWINSZ = 0x5414
FIONREAD = 0x541B
FIONBIO = 0x5421
FIONCLEX = 0x5450
FIOCLEX = 0x5451
FIOASYNC = 0x5452
FIOQSIZE = 0x5460
