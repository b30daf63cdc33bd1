"""Setting the clock (``kernel/time/posix-timers.c``, ``kernel/time/time.c``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ktrace.include.linux.time64 import NSEC_PER_SEC
from ktrace.model.calls import syscall
from ktrace.model.process.timer import clock_was_set
from ktrace.model.task import Errno, Task
from ktrace.state.call import Pointer
from ktrace.state.rule import Rule
from ktrace.uapi.time import CLOCK_REALTIME

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

TIME_SETTOD_SEC_MAX = ((1 << 63) - 1) // NSEC_PER_SEC - 30 * 365 * 24 * 3600
"""``include/linux/time64.h``."""


SETTIMEOFDAY = Rule("kernel/time/timekeeping.c", "do_settimeofday64", "no time of day is less than the kernel's uptime")
LONGEST_UPTIME = 10 * 365 * 24 * 3600


def _refused(task: Task) -> Callable[[Observed], bool]:
    def find(seen: Observed) -> bool:
        result = seen.result(task)
        return result is not None and result.errno == "EINVAL"

    return find


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
    if seconds < LONGEST_UPTIME and task.kernel.choose(SETTIMEOFDAY, _refused(task), lambda _: True, otherwise=False):
        raise Errno("EINVAL")
    clock_was_set(task.kernel, seconds)
    return 0
