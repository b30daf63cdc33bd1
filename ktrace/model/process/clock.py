"""Setting the clock (``kernel/time/posix-timers.c``, ``kernel/time/time.c``)."""

from __future__ import annotations

from typing import Any

from ktrace.include.linux.time64 import NSEC_PER_SEC
from ktrace.model.calls import syscall
from ktrace.model.process.timer import clock_was_set
from ktrace.model.task import Errno, Task
from ktrace.state.call import Pointer
from ktrace.uapi.time import CLOCK_REALTIME

TIME_SETTOD_SEC_MAX = ((1 << 63) - 1) // NSEC_PER_SEC - 30 * 365 * 24 * 3600
"""``include/linux/time64.h``."""


@syscall("clock_settime")
def clock_settime(task: Task, clockid: int, tp: Any) -> int:
    """Set the time of day (``SYSCALL_DEFINE2(clock_settime)``, ``do_sys_settimeofday64()``)."""
    if clockid < 0 or clockid in (2, 3):
        if isinstance(tp, Pointer):
            raise Errno("EFAULT")
        raise NotImplementedError("the model does not know clock_settime() of a CPU clock")
    if clockid != CLOCK_REALTIME:
        raise Errno("EINVAL")
    if isinstance(tp, Pointer):
        raise Errno("EFAULT")
    seconds = tp["tv_sec"]
    if not 0 <= tp["tv_nsec"] < NSEC_PER_SEC or not 0 <= seconds < TIME_SETTOD_SEC_MAX:
        raise Errno("EINVAL")
    if not task.cred.capable("CAP_SYS_TIME"):
        raise Errno("EPERM")
    clock_was_set(task.kernel, seconds)
    return 0
