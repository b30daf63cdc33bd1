"""Pipes that carry notifications (``kernel/watch_queue.c``)."""

from __future__ import annotations

import struct
from typing import Any

from ktrace.include.linux.types import u32
from ktrace.model.fs.pipe.pipe import PipeInode
from ktrace.model.fs.pipe.pipe_size import pipe_resize_ring
from ktrace.model.fs.pipe.subsystem import pipe_is_unprivileged_user
from ktrace.model.mm.iov import load
from ktrace.model.task import Errno, Task
from ktrace.state.call import Pointer
from ktrace.uapi.watch_queue import SIZEOF_WATCH_NOTIFICATION_TYPE_FILTER, WATCH_INFO_LENGTH

FILTERS = 16
NOTES_PER_PAGE = 4096 // 128
LOSS_NOTIFICATION = (0).to_bytes(3, "little") + (1).to_bytes(1, "little") + (8).to_bytes(4, "little")
"""``struct watch_notification``: type WATCH_TYPE_META, subtype WATCH_META_LOSS_NOTIFICATION, 8 bytes long."""


def watch_queue_set_size(task: Task, pipe: PipeInode, nr_notes: int) -> int:
    """Give a notification pipe its buffers, once (``watch_queue_set_size()``)."""
    pipes = task.kernel.pipes
    if not pipe.watch_queue:
        raise Errno("ENODEV")
    if pipe.watch_notes:
        raise Errno("EBUSY")
    nr_notes = u32(nr_notes)
    if not 1 <= nr_notes <= 512:
        raise Errno("EINVAL")
    nr_pages = (nr_notes + NOTES_PER_PAGE - 1) // NOTES_PER_PAGE
    user_bufs = pipes.account_pipe_buffers(pipe.uid, pipe.nr_accounted, nr_pages)
    try:
        over = pipes.too_many_pipe_buffers_hard(user_bufs) or pipes.too_many_pipe_buffers_soft(user_bufs)
        if nr_pages > pipe.max_usage and over and pipe_is_unprivileged_user(task):
            raise Errno("EPERM")
        nr_notes = nr_pages * NOTES_PER_PAGE
        pipe_resize_ring(task, pipe, 1 << (nr_notes - 1).bit_length())
    except Errno:
        pipes.account_pipe_buffers(pipe.uid, nr_pages, pipe.nr_accounted)
        raise
    pipe.max_usage = pipe.nr_accounted = nr_pages
    pipe.watch_notes = nr_notes
    return 0


def watch_queue_set_filter(task: Task, pipe: PipeInode, arg: Any) -> int:
    """Choose notifications, of which none ever come here (``watch_queue_set_filter()``)."""
    if not pipe.watch_queue:
        raise Errno("ENODEV")
    address = arg.value if isinstance(arg, Pointer) else int(arg)
    if not address:
        return 0
    count, reserved = struct.unpack("<II", _load(task, address, 8))
    if not 1 <= count <= FILTERS or reserved:
        raise Errno("EINVAL")
    data = _load(task, address + 8, count * SIZEOF_WATCH_NOTIFICATION_TYPE_FILTER)
    for at in range(0, len(data), SIZEOF_WATCH_NOTIFICATION_TYPE_FILTER):
        info_filter, info_mask = struct.unpack_from("<II", data, at + 4)
        if info_filter & ~info_mask or info_mask & WATCH_INFO_LENGTH:
            raise Errno("EINVAL")
    return 0


def _load(task: Task, address: int, size: int) -> bytes:
    data = load(task, Pointer(address), size)
    if len(data) < size:
        raise Errno("EFAULT")
    return data
