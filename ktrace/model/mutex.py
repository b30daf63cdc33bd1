"""Mutexes that somebody may sleep with (``kernel/locking/mutex.c``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel
    from ktrace.model.task import Task
    from ktrace.model.wait import Sleeps


class Mutex:
    """Mirror one ``struct mutex``: its owner and its waiters, in order; no signal ends their wait.

    :ivar handoff: the first waiter found it taken again and is to get it next (MUTEX_FLAG_HANDOFF)
    """

    def __init__(self) -> None:
        self.owner: Task | None = None
        self.waiters: list[Task] = []
        self.handoff = False

    def lock(self, task: Task) -> Sleeps[None]:
        """Take it, sleep while somebody else has it (``mutex_lock()``, ``__mutex_lock_common()``)."""
        if self._trylock(task):
            return
        self.waiters.append(task)
        while True:
            task.uninterruptible = True
            yield
            task.uninterruptible = False
            if self.owner is task or self._trylock(task):
                break
            self.handoff = self.handoff or self.waiters[0] is task
        self.waiters.remove(task)

    def unlock(self, kernel: Kernel) -> None:
        """Release it and wake the first waiter (``__mutex_unlock_slowpath()``)."""
        first = self.waiters[0] if self.waiters else None
        self.owner = first if self.handoff else None
        self.handoff = False
        if first is not None:
            kernel.wake_up_process(first)

    def _trylock(self, task: Task) -> bool:
        """``__mutex_trylock()``."""
        if self.owner is not None:
            return False
        self.owner = task
        return True
