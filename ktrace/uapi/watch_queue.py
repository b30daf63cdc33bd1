"""Watch queues (``include/uapi/linux/watch_queue.h``)."""

from __future__ import annotations

from ktrace.uapi.fcntl import O_EXCL

O_NOTIFICATION_PIPE = O_EXCL

IOC_WATCH_QUEUE_SET_SIZE = 0x5760
IOC_WATCH_QUEUE_SET_FILTER = 0x5761

WATCH_INFO_LENGTH = 0x7F

SIZEOF_WATCH_NOTIFICATION_TYPE_FILTER = 44
