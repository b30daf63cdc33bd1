"""Bytes on their way through TCP: some are copies, some still lie in pages that others may write to."""

from __future__ import annotations

from typing import NamedTuple

from ktrace.model.mm.page import Page


class Part(NamedTuple):
    """Some bytes in a row.

    :param page: that they lie in; ``None`` for a copy, which is *data*
    """

    page: Page | None
    offset: int
    size: int
    data: bytes = b""

    def read(self) -> bytes:
        """Return what is there now."""
        if self.page is None:
            return self.data
        return bytes(self.page.data[self.offset : self.offset + self.size])

    def cut(self, start: int, end: int) -> Part:
        """Return the part of it from *start* to *end*."""
        if self.page is None:
            return Part(None, 0, end - start, self.data[start:end])
        return Part(self.page, self.offset + start, end - start)


class ByteQueue:
    """Take bytes at the end, give them at the beginning."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.size = 0

    def __len__(self) -> int:
        return self.size

    def __bytes__(self) -> bytes:
        return b"".join([part.read() for part in self.parts])

    def __iadd__(self, more: bytes | bytearray | ByteQueue) -> ByteQueue:
        for part in more.parts if isinstance(more, ByteQueue) else [Part(None, 0, len(more), bytes(more))]:
            self._append(part)
        return self

    def append_page(self, page: Page, offset: int, size: int) -> None:
        """Add a part of a page, as it will be when it is read."""
        self._append(Part(page, offset, size))

    def _append(self, part: Part) -> None:
        last = self.parts[-1] if self.parts else None
        if (
            last is not None
            and last.page is part.page
            and (part.page is None or last.offset + last.size == part.offset)
        ):
            self.parts[-1] = Part(last.page, last.offset, last.size + part.size, last.data + part.data)
        elif part.size:
            self.parts.append(part)
        self.size += part.size

    def __getitem__(self, key: slice) -> ByteQueue:
        start, end, _ = key.indices(self.size)
        found = ByteQueue()
        at = 0
        for part in self.parts:
            low, high = max(start - at, 0), min(end - at, part.size)
            if low < high:
                found._append(part.cut(low, high))
            at += part.size
        return found

    def __delitem__(self, key: slice) -> None:
        start, end, _ = key.indices(self.size)
        rest = self[:start]
        rest += self[end:]
        self.parts, self.size = rest.parts, rest.size

    def clear(self) -> None:
        """Forget all."""
        self.parts, self.size = [], 0
