"""Read counters to wait on: ``struct eventfd_ctx``."""

from __future__ import annotations

from ktrace.inspect.inspector import Observation
from ktrace.inspect.kernel import LiveKernel
from ktrace.inspect.layout import layout_of
from ktrace.inspect.members import offset_of
from ktrace.inspect.wait_queue import WaitQueues
from ktrace.state.fs.eventfd import EventFd
from ktrace.state.ref import Ref
from ktrace.uapi.eventfd import EFD_SEMAPHORE


class EventFdReader:
    """Read eventfds as files."""

    f_ops = frozenset({"eventfd_fops"})
    kind = "eventfd"
    by_inode = False

    def __init__(self, kernel: LiveKernel) -> None:
        self.queues = WaitQueues(kernel)
        self.context = layout_of(kernel.prog, "struct eventfd_ctx", "count", "flags")
        self._wqh = offset_of(kernel.prog, "struct eventfd_ctx", "wqh.head")

    def file_target(self, observation: Observation, file: int, private_data: int, f_inode: int) -> Ref:
        """Add the counter behind a file and return its reference.

        :raises CorruptStructure: a list that cannot be followed
        """
        ref = Ref("eventfd", private_data)
        if ref not in observation.objects:
            context = self.context.read(observation.memory, private_data)
            observation.objects[ref] = EventFd(
                count=context.count,
                semaphore=bool(context.flags & EFD_SEMAPHORE),
                wqh=self.queues.waiters(observation, private_data + self._wqh, "eventfd_ctx.wqh"),
            )
        return ref
