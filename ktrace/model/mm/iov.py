"""Data on its way between a call's buffers and the kernel (``lib/iov_iter.c``), up to the first bad address."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ktrace.include.asm.page_types import PAGE_SIZE, TASK_SIZE_MAX
from ktrace.include.linux.fs import MAX_RW_COUNT
from ktrace.include.linux.types import u64
from ktrace.model.mm.address_space import PROT_ANY
from ktrace.model.mm.page import Page
from ktrace.model.mm.program_pages import program_pages
from ktrace.model.task import Errno, Task
from ktrace.state.call import COUNTED, UNWRITTEN, Pointer
from ktrace.uapi.mman import PROT_WRITE
from ktrace.uapi.uio import UIO_MAXIOV

Store = Callable[[int, bytes], None]
COPY_CHUNK = 8
"""Bytes that ``rep movsq`` moves at a time (``copy_user_generic_string()``)."""


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

    def is_exhausted(self) -> bool:
        """Tell whether the next byte cannot be read (``fault_in_iov_iter_readable()``)."""
        return self.at >= len(self.data)

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

    def copy_into(self, page: bytearray, offset: int, size: int) -> int:
        """Take up to *size* bytes into *page* and return how many came."""
        data = self.copy(size)
        page[offset : offset + len(data)] = data
        return len(data)


class BufferSource(Source):
    """Parts of pages that the kernel has at hand (``ITER_BVEC``), read when they are copied and not before.

    :param parts: page, offset and size of each
    """

    def __init__(self, parts: list[tuple[bytearray, int, int]]) -> None:
        super().__init__(b"", sum(size for _, _, size in parts))
        self.parts = parts

    def is_exhausted(self) -> bool:
        """Tell that everything can be read."""
        return False

    def copy(self, size: int) -> bytes:
        """Take up to *size* bytes (``copy_page_from_iter_atomic()``)."""
        size = min(size, self.count)
        taken = b""
        while len(taken) < size:
            page, offset, left = self.parts.pop(0)
            use = min(left, size - len(taken))
            taken += page[offset : offset + use]
            if use < left:
                self.parts.insert(0, (page, offset + use, left - use))
        self.count -= len(taken)
        return taken

    def copy_into(self, page: bytearray, offset: int, size: int) -> int:
        """Take up to *size* bytes into *page* (``copy_page_from_iter_atomic()``).

        :raises NotImplementedError: from a place in the same page that overlaps: for ``memcpy()`` C says nothing
            of that, and gcc puts code of its own in its place
        """
        size = min(size, self.count)
        done = 0
        while done < size:
            source, start, length = self.parts[0]
            chunk = min(size - done, length)
            if source is page and 0 < abs(start - offset - done) < chunk:
                raise NotImplementedError("memcpy() between places that overlap")
            data = self.copy(chunk)
            page[offset + done : offset + done + chunk] = data
            done += chunk
        return done


class PageSource(BufferSource):
    """Parts of a pipe's pages on their way into a socket (``MSG_SPLICE_PAGES``), to be shared or copied.

    :param pages: page, offset and size of each
    """

    def __init__(self, pages: list[tuple[Page, int, int]]) -> None:
        super().__init__([(page.data, offset, size) for page, offset, size in pages])
        self.pages = pages

    def copy(self, size: int) -> bytes:
        """Take up to *size* bytes as a copy."""
        self.take(size, count=False)
        return super().copy(size)

    def take(self, size: int, count: bool = True) -> list[tuple[Page, int, int]]:
        """Take up to *size* bytes as they lie in pages, in pieces that end where pages do
        (``iov_iter_extract_pages()``).

        :param count: whether they are gone with that
        """
        size = min(size, self.count)
        if count:
            super().copy(size)
        found = []
        while size:
            page, offset, left = self.pages.pop(0)
            piece = min(left, size, PAGE_SIZE - offset % PAGE_SIZE)
            found.append((page, offset, piece))
            if piece < left:
                self.pages.insert(0, (page, offset + piece, left - piece))
            size -= piece
        return found

    def give_back(self, pieces: list[tuple[Page, int, int]]) -> None:
        """Take back what did not fit (``iov_iter_revert()``)."""
        self.pages[:0] = pieces
        self.parts[:0] = [(page.data, offset, size) for page, offset, size in pieces]
        self.count += sum(size for _, _, size in pieces)


class Destination:
    """Room that user space offers (``ITER_DEST``).

    :param count: how many bytes fit, good or bad
    :param good: how many can be written before the first bad address
    :param places: stores what arrives at an offset, for buffers whose addresses the script chose
    """

    def __init__(self, count: int, good: int | None = None, places: list[tuple[int, Store]] | None = None) -> None:
        self.places = places
        self.count = count
        self.good = count if good is None else min(good, count)
        self.data = bytearray()

    def copy(self, data: bytes) -> int:
        """Put *data* and return how much of it arrived (``copy_to_iter()``)."""
        room = min(self.count, self.good)
        put = data[:room]
        if self.places:
            self._store(put)
        self.data += put
        self.count -= len(put)
        self.good -= len(put)
        return len(put)

    def skip(self, size: int) -> None:
        """Count *size* bytes as put, and leave what was there (MSG_TRUNC of ``tcp_recvmsg_locked()``)."""
        size = min(size, self.count)
        self.data += bytes([UNWRITTEN]) * size
        self.count -= size
        self.good -= min(size, self.good)

    def copy_page(self, page: bytearray, offset: int, size: int) -> int:
        """Put a part of *page* and return how much of it arrived (``copy_page_to_iter()``).

        The page may be the very one that is written to: copying goes forward, a few words at a time.

        :raises NotImplementedError: onto the next few words: how many are read before they are written depends on the
            routine that the kernel patched in for the CPU (``arch/x86/lib/copy_user_64.S``)
        """
        if not self.places:
            return self.copy(bytes(page[offset : offset + size]))
        done = 0
        while done < size:
            chunk = min(COPY_CHUNK, size - done)
            data = bytes(page[offset + done : offset + done + chunk])
            put = self.copy(data)
            after = page[offset + done : offset + done + chunk]
            if after != data and after[0] == data[0]:
                raise NotImplementedError("the model does not know what a copy onto its own next few bytes leaves")
            done += put
            if put < chunk:
                break
        return done

    def _store(self, data: bytes) -> None:
        at, start = len(self.data), 0
        for length, store in self.places or ():
            part = data[max(start - at, 0) : max(start + length - at, 0)]
            if part:
                store(max(at - start, 0), bytes(part))
            start += length

    def truncate(self, count: int) -> None:
        """Offer no more than *count* bytes (``iov_iter_truncate()``)."""
        self.count = min(self.count, count)


def accessible(task: Task, pointer: Pointer, count: int, write: bool) -> int:
    """Return how many of *count* bytes at an address of the script's own choice can be used."""
    return int(task.mm.accessible(pointer.value, count, PROT_WRITE if write else PROT_ANY))


def is_bad(task: Task, pointer: Pointer, count: int = 1, write: bool = True) -> bool:
    """Tell whether *count* bytes at *pointer* cannot all be used."""
    return accessible(task, pointer, count, write) < count


def access_ok(pointer: Pointer, count: int) -> None:
    """Refuse what lies beyond user space, before anything else is looked at (``arch/x86/include/asm/uaccess.h``).

    :raises Errno: EFAULT
    """
    if u64(pointer.value) + count > TASK_SIZE_MAX:
        raise Errno("EFAULT")


def source(task: Task, buf: bytes | Pointer, count: int) -> Source:
    """Make the source of a call with one buffer (``import_single_range()``).

    :raises Errno: EFAULT for an address of the kernel's
    """
    if isinstance(buf, Pointer):
        access_ok(buf, count)
        return Source(load(task, buf, count), count)
    return Source(buf[:count].ljust(min(count, COUNTED), b"\0"), count)


def destination(task: Task, name: str, count: int) -> Destination:
    """Make the destination of a call whose buffer is parameter *name*."""
    pointer = _pointers(task).get(name)
    if pointer is None:
        return Destination(count)
    access_ok(pointer, count)
    return Destination(count, accessible(task, pointer, count, True), [(count, _store(task, pointer))])


def out_is_bad(task: Task, name: str, count: int = 1) -> bool:
    """Tell whether the out-buffer *name* cannot be written (``copy_to_user()``)."""
    pointer = _pointers(task).get(name)
    return pointer is not None and is_bad(task, pointer, count)


def result_buffer(task: Task, name: str, data: bytes | bytearray) -> dict[str, Any]:
    """Return what the call reports in its out-buffer *name*: nothing where the script gave its address."""
    return {} if name in _pointers(task) else {name: bytes(data)}


def load(task: Task, pointer: Pointer, count: int) -> bytes:
    """Return up to *count* bytes of the actor's own memory, as far as it can be read."""
    good = accessible(task, pointer, count, False)
    return bytes(task.mm.read(pointer.value, good)) if good else b""


def _store(task: Task, pointer: Pointer) -> Store:
    def store(offset: int, data: bytes) -> None:
        task.mm.write(pointer.value + offset, data)

    return store


def import_source(task: Task, iov: Any, iovcnt: int) -> Source:
    """Make the source of a vectored call (``import_iovec()``).

    :raises Errno: EINVAL for too many or negative lengths, EFAULT for a bad array
    """
    parts = _segments(task, iov, iovcnt)
    data = b""
    for base, length in parts:
        got = load(task, base, length) if isinstance(base, Pointer) else base[:length]
        data += got
        if len(got) < length:
            break
    return Source(data, min(sum(length for _, length in parts), MAX_RW_COUNT))


def import_destination(task: Task, iov: Any, iovcnt: int) -> Destination:
    """Make the destination of a vectored call (``import_iovec()``)."""
    parts = _segments(task, iov, iovcnt)
    good = 0
    for base, length in parts:
        room = accessible(task, base, length, True) if isinstance(base, Pointer) else length
        good += room
        if room < length:
            break
    places = [(length, _store(task, base) if isinstance(base, Pointer) else _forget) for base, length in parts]
    return Destination(min(sum(length for _, length in parts), MAX_RW_COUNT), good, places)


def _forget(offset: int, data: bytes) -> None:
    """Drop the bytes: the buffer is the call's own and is reported."""


def import_pages(task: Task, iov: Any, iovcnt: int) -> Iterator[tuple[Page | None, int, int]]:
    """Yield page, offset and size of each part of the caller's memory (``iov_iter_get_pages2()``).

    A page is the same object every time; ``None`` stands where nothing is mapped.
    """
    kernel = task.kernel
    for base, length in _segments(task, iov, iovcnt):
        assert isinstance(base, Pointer)  # vmsplice() takes addresses alone
        if not task.mm.known:
            yield from program_pages(task, base.value, length)
            continue
        address = base.value
        while length:
            offset = address % PAGE_SIZE
            size = min(length, PAGE_SIZE - offset)
            if not accessible(task, Pointer(address), 1, False):
                yield None, 0, 0
                return
            data, _, _ = next(iter(task.mm.pieces(address, 1, False)))
            yield kernel.pipes.user_page(kernel, data), offset, size
            address += size
            length -= size


def _segments(task: Task, iov: Any, iovcnt: int) -> list[tuple[Pointer | bytes, int]]:
    if iovcnt == 0:
        return []
    if not 0 <= iovcnt <= UIO_MAXIOV:
        raise Errno("EINVAL")
    if isinstance(iov, Pointer):
        raise Errno("EFAULT")
    found: list[tuple[Pointer | bytes, int]] = []
    base: Pointer | bytes
    nothing = {"iov_base": 0, "iov_len": 0}
    for item in (*iov[:iovcnt], *[nothing] * (iovcnt - len(iov))):
        if isinstance(item, int):
            base, length = b"", item
        elif isinstance(item, (bytes, bytearray)):
            base, length = bytes(item), len(item)
        else:
            raw = item["iov_base"]
            base, length = raw if isinstance(raw, (Pointer, bytes)) else Pointer(raw), item["iov_len"]
        if length < 0 or length >= 1 << 63:
            raise Errno("EINVAL")
        if isinstance(base, Pointer):
            access_ok(base, length)
        if length > TASK_SIZE_MAX:
            raise Errno("EFAULT")
        found.append((base, length))
    return found


def _pointers(task: Task) -> Mapping[str, Pointer]:
    return task.call.pointers if task.call is not None else {}
