"""ioctl() of sockets (``include/uapi/asm-generic/sockios.h``, ``include/uapi/linux/sockios.h``,
``include/uapi/asm-generic/ioctls.h``).
"""

from __future__ import annotations

from ktrace.uapi.ioctls import FIONREAD, TIOCOUTQ

FIOSETOWN = 0x8901
SIOCSPGRP = 0x8902
FIOGETOWN = 0x8903
SIOCGPGRP = 0x8904
SIOCATMARK = 0x8905
SIOCINQ = FIONREAD
SIOCOUTQ = TIOCOUTQ

SOCK_IOC_TYPE = 0x89

SIOCGIFCONF = 0x8912
SIOCOUTQNSD = 0x894B
