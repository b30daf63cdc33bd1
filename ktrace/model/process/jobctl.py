"""What the stops of programs keep, of a process and of each of its threads (``include/linux/sched/jobctl.h``)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(eq=False)
class GroupStop:
    """Mirror the part of ``struct signal_struct`` that is about stops.

    :param count: threads that have not stopped yet (``group_stop_count``)
    :param code: the number of the signal, until somebody has waited for it (``group_exit_code``)
    :param stopped: SIGNAL_STOP_STOPPED; *continued*: SIGNAL_STOP_CONTINUED
    :param cld: the code of what the parent is still to be told (SIGNAL_CLD_MASK); 0 for nothing
    """

    count: int = 0
    code: int = 0
    stopped: bool = False
    continued: bool = False
    cld: int = 0

    def set_flags(self, stopped: bool = False, continued: bool = False, cld: int = 0) -> None:
        """Have these flags and no other (``signal_set_stop_flags()``)."""
        self.stopped, self.continued, self.cld = stopped, continued, cld


@dataclass(eq=False)
class JobCtl:
    """Mirror ``task->jobctl``.

    :param stop_pending: it is to stop with the others (JOBCTL_STOP_PENDING)
    :param consume: and is one of those that are counted (JOBCTL_STOP_CONSUME)
    :param trap_stop: JOBCTL_TRAP_STOP; *trap_notify*: JOBCTL_TRAP_NOTIFY
    :param listening: it has stopped, and the agent has let it be so (JOBCTL_LISTENING)
    """

    stop_pending: bool = False
    consume: bool = False
    trap_stop: bool = False
    trap_notify: bool = False
    listening: bool = False

    @property
    def traps(self) -> bool:
        """Tell whether it is to stop for the agent (JOBCTL_TRAP_MASK)."""
        return self.trap_stop or self.trap_notify

    @property
    def pending(self) -> bool:
        """Tell whether that ends a sleep as a signal does (JOBCTL_PENDING_MASK)."""
        return self.stop_pending or self.traps

    def clear_stop(self) -> None:
        """Take part in no stop (``task_clear_jobctl_pending()``)."""
        self.stop_pending = self.consume = False
