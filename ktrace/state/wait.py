"""Wait queues."""

from __future__ import annotations

from ktrace.state.quick import dataclass
from ktrace.state.ref import Ref


@dataclass(frozen=True, slots=True)
class Waiter:
    """One entry of a wait queue (``wait_queue_entry_t``), in the order in which it would be woken.

    :param process: who sleeps; ``None`` where the entry belongs to no single task (epoll)
    :param exclusive: WQ_FLAG_EXCLUSIVE
    :param func: symbol of the entry's wake function, such as ``autoremove_wake_function``
    """

    process: Ref | None
    exclusive: bool
    func: str
