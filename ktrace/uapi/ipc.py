"""System V IPC of any kind (``include/uapi/linux/ipc.h``)."""

from __future__ import annotations

IPC_PRIVATE = 0

IPC_CREAT = 0o1000
IPC_EXCL = 0o2000
IPC_NOWAIT = 0o4000
IPC_RMID = 0
IPC_SET = 1
IPC_STAT = 2
IPC_INFO = 3

IPC_DIPC = 0o0010000
IPC_OWN = 0o0020000
IPC_OLD = 0
IPC_64 = 0x0100
DIPC = 25
