"""Counters to wait on (``fs/eventfd.c``)."""

from __future__ import annotations

from ktrace.state.quick import dataclass
from ktrace.state.wait import Waiter


@dataclass(frozen=True, slots=True)
class EventFd:
    """A ``struct eventfd_ctx``.

    :param count: what the next read gets; one at a time where *semaphore* is set (EFD_SEMAPHORE)
    :param wqh: who sleeps and polls, first to be woken first
    """

    count: int
    semaphore: bool
    wqh: tuple[Waiter, ...]
