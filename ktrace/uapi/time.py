"""Clocks and interval timers (``include/uapi/linux/time.h``)."""

from __future__ import annotations

ITIMER_REAL = 0
ITIMER_VIRTUAL = 1
ITIMER_PROF = 2

CLOCK_REALTIME = 0
CLOCK_MONOTONIC = 1
CLOCK_BOOTTIME = 7
CLOCK_TAI = 11
