"""Why a signal was sent (``include/uapi/asm-generic/siginfo.h``)."""

from __future__ import annotations

SI_USER = 0
SI_KERNEL = 0x80
SI_TIMER = -2
SI_SIGIO = -5
SI_TKILL = -6

SIGEV_NONE = 1

POLL_IN = 1
POLL_OUT = 2
POLL_MSG = 3
POLL_ERR = 4
POLL_PRI = 5
POLL_HUP = 6

CLD_EXITED = 1
CLD_KILLED = 2
CLD_DUMPED = 3
