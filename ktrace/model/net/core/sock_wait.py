"""Waiting on a sock, with a timeout (``net/core/sock.c``, ``include/net/sock.h``, ``net/core/datagram.c``)."""

from __future__ import annotations

from ktrace.model.net.core.sock import Sock
from ktrace.model.task import Errno, Task
from ktrace.model.timer import HZ, Timer, schedule_until, start
from ktrace.model.wait import Sleeps, WaitEntry, WaitQueue
from ktrace.uapi.eventpoll import EPOLLERR, EPOLLIN


class Timeo:
    """Mirror the ``long timeo`` that a call carries from sleep to sleep; true while time is left.

    :param jiffies: 0 for not to sleep at all, ``None`` for ever
    """

    def __init__(self, jiffies: int | None) -> None:
        self.jiffies = jiffies
        self._timer: Timer | None = None

    def __bool__(self) -> bool:
        return self.jiffies != 0

    def sleep(self, task: Task) -> Sleeps[None]:
        """Sleep until woken or until the time is over (``schedule_timeout()``)."""
        if self._timer is None and self.jiffies is not None:
            self._timer = start(task.kernel, self.jiffies / HZ)
        if (yield from schedule_until(task, self._timer)):
            self.jiffies = 0


def sock_intr_errno(timeo: Timeo) -> Errno:
    """Return what an interrupted wait fails with (``sock_intr_errno()``): no restart where there is a timeout."""
    return Errno("ERESTARTSYS" if timeo.jiffies is None else "EINTR")


def sock_sndtimeo(sk: Sock, noblock: int) -> Timeo:
    """Return how long to wait for room to send."""
    return Timeo(0 if noblock else sk.sndtimeo)


def sock_rcvtimeo(sk: Sock, noblock: int) -> Timeo:
    """Return how long to wait for something to receive."""
    return Timeo(0 if noblock else sk.rcvtimeo)


def sleeper(task: Task, kind: str = "autoremove_wake_function", exclusive: bool = False) -> WaitEntry:
    """Return a wait queue entry of *task* with the wake function called *kind*."""
    return WaitEntry(task, exclusive, kind=kind)


def receiver(task: Task, queue: WaitQueue) -> WaitEntry:
    """Return the entry of a datagram receiver: only EPOLLIN and EPOLLERR wake it (``receiver_wake_function()``)."""
    entry = WaitEntry(task, True, kind="receiver_wake_function")

    def wake(key: int) -> bool:
        if key and not key & (EPOLLIN | EPOLLERR):
            return False
        woke = task.kernel.wake_up_process(task)
        if woke:
            queue.remove(entry)
        return woke

    entry.func = wake
    return entry


def prepare_to_wait(queue: WaitQueue, entry: WaitEntry) -> None:
    """Queue *entry* unless it is queued (``prepare_to_wait()``, ``prepare_to_wait_exclusive()``)."""
    if entry not in queue.entries:
        queue.add(entry)
