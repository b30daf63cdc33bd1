"""Sleeping (``include/linux/sched.h``)."""

from __future__ import annotations

from ktrace.uapi.limits import LONG_MAX

MAX_SCHEDULE_TIMEOUT = LONG_MAX
