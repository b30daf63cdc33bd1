"""timerfd_create() (``include/uapi/linux/timerfd.h``)."""

from __future__ import annotations

from ktrace.uapi.fcntl import O_CLOEXEC, O_NONBLOCK

TFD_TIMER_ABSTIME = 1 << 0
TFD_TIMER_CANCEL_ON_SET = 1 << 1
TFD_CLOEXEC = O_CLOEXEC
TFD_NONBLOCK = O_NONBLOCK

TFD_IOC_SET_TICKS = 0x40085400
