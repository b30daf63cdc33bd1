"""Requests and events of ptrace(2) (``include/uapi/linux/ptrace.h``)."""

from __future__ import annotations

PTRACE_SYSCALL = 24
PTRACE_LISTEN = 0x4208
PTRACE_EVENT_FORK = 1
PTRACE_EVENT_VFORK = 2
PTRACE_EVENT_CLONE = 3
PTRACE_EVENT_EXEC = 4
PTRACE_EVENT_STOP = 128
