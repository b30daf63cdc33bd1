"""Semaphores (``include/uapi/linux/sem.h``)."""

from __future__ import annotations

SEM_UNDO = 0x1000

GETPID = 11
GETVAL = 12
GETALL = 13
GETNCNT = 14
GETZCNT = 15
SETVAL = 16
SETALL = 17

SEM_STAT = 18
SEM_INFO = 19
SEM_STAT_ANY = 20

SEMMSL = 32000
SEMVMX = 32767
SEMAEM = SEMVMX
