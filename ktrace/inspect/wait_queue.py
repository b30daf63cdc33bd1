"""Read the sleepers of a ``wait_queue_head_t`` (``kernel/sched/wait.c``)."""

from __future__ import annotations

from ktrace.include.linux.wait import WQ_FLAG_EXCLUSIVE
from ktrace.inspect.inspector import Observation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.lib.list import for_each_list_node
from ktrace.state.ref import Ref
from ktrace.state.wait import Waiter

LIMIT = 1 << 16
_TASK_FUNCS = frozenset(
    {"default_wake_function", "autoremove_wake_function", "woken_wake_function", "receiver_wake_function"}
    | {"ep_autoremove_wake_function"}
)
"""Wake functions whose entry's ``private`` is the sleeping task."""


class WaitQueues:
    """Read wait queues of one kernel."""

    def __init__(self, kernel: LiveKernel) -> None:
        self.kernel = kernel
        self.entry = layout_of(kernel.prog, "struct wait_queue_entry", "flags", "private", "func", "entry.next")
        self.entry_offset = self.entry.offsets["entry_next"]
        self.polling_task = layout_of(kernel.prog, "struct poll_wqueues", "polling_task", "triggered")

    def waiters(self, observation: Observation, head: int, what: str, first: int = 0) -> tuple[Waiter, ...]:
        """Return the entries of the queue whose ``head`` member is at *head*, in wake-up order.

        :param what: the queue, for the error
        :param first: ``head.next``, where that was read already: an empty queue is not read again
        :raises CorruptStructure: the list cannot be followed
        """
        if first == head:
            return ()
        memory = observation.memory
        found = []
        for node in for_each_list_node(memory, head, what, LIMIT):
            entry = self.entry.read(memory, node - self.entry_offset)
            func = self.kernel.symbol(entry.func)
            task: Ref | None = None
            if func in _TASK_FUNCS:
                task = observation.process(entry.private)
            elif func == "pollwake":
                task = observation.process(self.polling_task.read(memory, entry.private).polling_task)
            found.append(Waiter(process=task, exclusive=bool(entry.flags & WQ_FLAG_EXCLUSIVE), func=func))
        return tuple(found)
