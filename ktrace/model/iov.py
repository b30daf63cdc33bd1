"""Data on its way between a call's buffers and the kernel (``lib/iov_iter.c``), up to the first bad address."""

from __future__ import annotations

from typing import Any

from ktrace.model.task import Errno, Task
from ktrace.state.call import Pointer

UIO_MAXIOV = 1024
MAX_RW_COUNT = 0x7FFFFFFF & ~0xFFF
"""``INT_MAX & PAGE_MASK`` (``include/linux/fs.h``)."""


class Source:
    """Bytes that user space hands over (``ITER_SOURCE``).

    :param data: what can be read, up to the first bad address
    :param count: how many bytes the call offers, good or bad
    """

    def __init__(self, data: bytes, count: int | None = None) -> None:
        self.data = data
        self.count = len(data) if count is None else count
        self.at = 0

    def copy(self, size: int) -> bytes:
        """Take up to *size* bytes; fewer only at the end or at a bad address (``copy_from_iter()``)."""
        size = min(size, self.count)
        taken = self.data[self.at : self.at + size]
        self.at += len(taken)
        self.count -= len(taken)
        return taken

    def copy_all(self) -> bytes:
        """Take everything.

        :raises Errno: EFAULT where some of it cannot be read
        """
        count = self.count
        taken = self.copy(count)
        if len(taken) < count:
            raise Errno("EFAULT")
        return taken

    def truncate(self, count: int) -> None:
        """Offer no more than *count* bytes (``iov_iter_truncate()``)."""
        self.count = min(self.count, count)


class Destination:
    """Room that user space offers (``ITER_DEST``).

    :param count: how many bytes fit, good or bad
    :param good: how many can be written before the first bad address
    """

    def __init__(self, count: int, good: int | None = None) -> None:
        self.count = count
        self.good = count if good is None else min(good, count)
        self.data = bytearray()

    def copy(self, data: bytes) -> int:
        """Put *data* and return how much of it arrived (``copy_to_iter()``)."""
        room = min(self.count, self.good)
        put = data[:room]
        self.data += put
        self.count -= len(put)
        self.good -= len(put)
        return len(put)

    def truncate(self, count: int) -> None:
        """Offer no more than *count* bytes (``iov_iter_truncate()``)."""
        self.count = min(self.count, count)


def is_bad(task: Task, pointer: Pointer) -> bool:
    """Tell whether nothing is mapped at *pointer*: a page that *task* did not map itself.

    Scripts give explicit addresses only to have them refused, or after mmap() and shmat(), whose
    results no workload can confuse with the first pages or with :data:`ktrace.state.call.BAD`.
    """
    return pointer.value < 0x1000000


def source(task: Task, buf: bytes | Pointer, count: int) -> Source:
    """Make the source of a call with one buffer."""
    if isinstance(buf, Pointer):
        return Source(b"" if is_bad(task, buf) else load(task, buf, count), count)
    return Source(buf[:count], count)


def destination(task: Task, name: str, count: int) -> Destination:
    """Make the destination of a call whose buffer is parameter *name*."""
    pointer = _pointers(task).get(name)
    return Destination(count, 0 if pointer is not None and is_bad(task, pointer) else None)


def out_is_bad(task: Task, name: str) -> bool:
    """Tell whether the out-buffer *name* cannot be written (``copy_to_user()``)."""
    pointer = _pointers(task).get(name)
    return pointer is not None and is_bad(task, pointer)


def result_buffer(task: Task, name: str, data: bytes | bytearray) -> dict[str, Any]:
    """Return what the call reports in its out-buffer *name*: nothing where the script gave its address."""
    return {} if name in _pointers(task) else {name: bytes(data)}


def load(task: Task, pointer: Pointer, count: int) -> bytes:
    """Return *count* bytes of the actor's own memory; what nobody stored is zero."""
    memory = task.sub.get("memory")
    return memory.load(pointer.value, count) if memory is not None else bytes(count)


def import_source(task: Task, iov: Any, iovcnt: int) -> Source:
    """Make the source of a vectored call (``import_iovec()``).

    :raises Errno: EINVAL for too many or negative lengths, EFAULT for a bad array
    """
    parts = list(_segments(task, iov, iovcnt))
    data = b""
    for base, length in parts:
        if isinstance(base, Pointer):
            if length and is_bad(task, base):
                break
            data += load(task, base, length)
        else:
            data += base[:length]
    return Source(data, min(sum(length for _, length in parts), MAX_RW_COUNT))


def import_destination(task: Task, iov: Any, iovcnt: int) -> Destination:
    """Make the destination of a vectored call (``import_iovec()``)."""
    parts = list(_segments(task, iov, iovcnt))
    good = 0
    for base, length in parts:
        if isinstance(base, Pointer) and length and is_bad(task, base):
            break
        good += length
    return Destination(min(sum(length for _, length in parts), MAX_RW_COUNT), good)


def _segments(task: Task, iov: Any, iovcnt: int) -> list[tuple[Any, int]]:
    if iovcnt == 0:
        return []
    if not 0 <= iovcnt <= UIO_MAXIOV:
        raise Errno("EINVAL")
    if isinstance(iov, Pointer):
        raise Errno("EFAULT")
    found: list[tuple[Pointer | bytes, int]] = []
    base: Pointer | bytes
    for item in iov[:iovcnt]:
        if isinstance(item, int):
            base, length = b"", item
        elif isinstance(item, (bytes, bytearray)):
            base, length = bytes(item), len(item)
        else:
            raw = item["iov_base"]
            base, length = raw if isinstance(raw, (Pointer, bytes)) else Pointer(raw), item["iov_len"]
        if length < 0 or length >= 1 << 63:
            raise Errno("EINVAL")
        found.append((base, length))
    return found


def _pointers(task: Task) -> Any:
    return task.call.pointers if task.call is not None else {}
