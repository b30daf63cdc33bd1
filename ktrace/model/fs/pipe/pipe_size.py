"""A ring of another size: F_SETPIPE_SZ (``fs/pipe.c``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.model.fs.pipe.pipe import PipeBuffer, PipeInode
from ktrace.model.fs.pipe.subsystem import pipe_is_unprivileged_user, round_pipe_size
from ktrace.model.task import Errno, Task
from ktrace.model.wait import wake_up
from ktrace.state.rule import Rule

if TYPE_CHECKING:
    from ktrace.model.observed import Observed


COSTLY_ORDER = Rule("mm/page_alloc.c", "__alloc_pages", "costly orders may fail")
SIZEOF_PIPE_BUFFER = 40
KMALLOC_MAX_SIZE = 1 << 22
SURE_ALLOCATION = 8 * PAGE_SIZE
"""The page allocator does not give up on less (``PAGE_ALLOC_COSTLY_ORDER``)."""


def pipe_set_size(task: Task, pipe: PipeInode, arg: int) -> int:
    """Give a pipe a ring of another size (``pipe_set_size()``)."""
    pipes = task.kernel.pipes
    if pipe.watch_queue:
        raise Errno("EBUSY")
    size = round_pipe_size(arg)
    slots = size // PAGE_SIZE
    if not slots:
        raise Errno("EINVAL")
    if slots > pipe.max_usage and size > pipes.max_size and not task.cred.capable("CAP_SYS_RESOURCE"):
        raise Errno("EPERM")
    user_bufs = pipes.account_pipe_buffers(pipe.uid, pipe.nr_accounted, slots)
    try:
        over = pipes.too_many_pipe_buffers_hard(user_bufs) or pipes.too_many_pipe_buffers_soft(user_bufs)
        if slots > pipe.max_usage and over and pipe_is_unprivileged_user(task):
            raise Errno("EPERM")
        pipe_resize_ring(task, pipe, slots)
    except Errno:
        pipes.account_pipe_buffers(pipe.uid, slots, pipe.nr_accounted)
        raise
    return pipe.max_usage * PAGE_SIZE


def pipe_resize_ring(task: Task, pipe: PipeInode, slots: int) -> None:
    """Move what is in the ring to the start of a new one (``pipe_resize_ring()``)."""
    _allocate(task, slots * SIZEOF_PIPE_BUFFER)
    used = pipe.occupancy()
    if slots < used:
        raise Errno("EBUSY")
    kept = [pipe.slot(pipe.tail + index) for index in range(used)]
    pipe.bufs = kept + [PipeBuffer() for _ in range(slots - used)]
    pipe.ring_size = slots
    pipe.max_usage = min(pipe.max_usage, slots)
    pipe.tail, pipe.head = 0, used
    if not pipe.watch_queue:
        pipe.max_usage = pipe.nr_accounted = slots
    wake_up(task.kernel, pipe.wr_wait, 1)


def _allocate(task: Task, size: int) -> None:
    """Fail with ENOMEM where the kernel did: it may refuse large contiguous memory."""
    kernel = task.kernel
    if size > KMALLOC_MAX_SIZE:
        raise Errno("ENOMEM")
    if size > SURE_ALLOCATION:

        def find(seen: Observed) -> bool | None:
            result = seen.result(task)
            return result.errno == "ENOMEM" if result is not None else None

        if kernel.choose(COSTLY_ORDER, find, lambda failed: True, otherwise=False):
            raise Errno("ENOMEM")
