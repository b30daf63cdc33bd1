"""Signals and job control of a process (``include/linux/sched/signal.h``)."""

from __future__ import annotations

SIGNAL_STOP_STOPPED = 0x1
