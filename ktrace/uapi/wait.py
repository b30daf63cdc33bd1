"""Waiting for children (``include/uapi/linux/wait.h``)."""

from __future__ import annotations

WNOHANG = 0x1
WUNTRACED = 0x2
WSTOPPED = WUNTRACED
WEXITED = 0x4
WCONTINUED = 0x8
WNOWAIT = 0x1000000

__WNOTHREAD = 0x20000000
__WALL = 0x40000000
__WCLONE = 0x80000000

P_ALL = 0
P_PID = 1
P_PGID = 2
P_PIDFD = 3
