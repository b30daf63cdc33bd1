"""One call as the agent carries it out: registers, bytes to store before it, bytes to load after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ktrace.errors import UsageError
from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.state.call import Pointer
from ktrace.state.quick import dataclass
from ktrace.uapi.limits import PATH_MAX

MOST_BYTES = 1 << 24
"""Bytes that are read of one buffer of a program's."""
MOST_GLIMPSED = 1 << 20
"""Bytes of one that are looked at where it is not whole."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """Ask for bytes of an actor's memory once its call has returned.

    :param addr: where they begin
    :param length: how many, in bytes
    :param scale: no more of them than the value that the call returned times this; 0 for all of them
    """

    addr: int
    length: int
    scale: int = 0


@dataclass(frozen=True, slots=True)
class RawCall:
    """A call of numbers and bytes.

    :param nr: the x86-64 system call number
    :param args: six registers, unsigned 64 bits each
    :param stores: addresses and the bytes that go there before the call
    :param loads: what is read back after a call that succeeded, in this order
    """

    nr: int
    args: tuple[int, ...]
    stores: tuple[tuple[int, bytes], ...] = ()
    loads: tuple[Fetched, ...] = ()


class Frame:
    """Lay out one call's buffers in an actor's arena, from its beginning, in the order of the parameters.

    :param arena: address of the arena
    :param size: its size in bytes
    :param pids: process ids of the actors that the call may name
    """

    __slots__ = ("_cursor", "_end", "loads", "pids", "stores")

    def __init__(self, arena: int, size: int, pids: Mapping[str, int]) -> None:
        self._cursor = arena
        self._end = arena + size
        self.pids = pids
        self.stores: list[tuple[int, bytes]] = []
        self.loads: list[Fetched] = []

    def take(self, size: int) -> int:
        """Return the address of *size* fresh bytes, aligned to 16.

        :raises UsageError: the arena is too small
        """
        addr = self._cursor
        self._cursor = addr + (size + 15 & ~15)
        if self._cursor > self._end:
            raise UsageError(
                f"buffers of {size!r} bytes do not fit into an actor's arena",
                "map memory with mmap, fill it with store, and pass its address",
            )
        return addr

    def put(self, data: bytes) -> int:
        """Have *data* stored in fresh bytes and return their address."""
        addr = self.take(len(data))
        if data:
            if self.stores and (last := self.stores[-1])[0] + (len(last[1]) + 15 & ~15) == addr:
                # Side by side: the agent takes a limited number of stores.
                self.stores[-1] = (last[0], last[1] + bytes(-len(last[1]) & 15) + data)
            else:
                self.stores.append((addr, data))
        return addr

    def want(self, addr: int, length: int, scale: int = 0) -> None:
        """Have *length* bytes at *addr* loaded after the call."""
        self.loads.append(Fetched(addr, length, scale))

    def want_fresh(self, length: int, scale: int = 0) -> int:
        """Take *length* fresh bytes, have them loaded after the call, and return their address."""
        addr = self.take(length)
        self.loads.append(Fetched(addr, length, scale))
        return addr

    def want_up_to(self, length: int, scale: int = 0) -> int:
        """Take *length* fresh bytes or, where that is beyond reason, all that is left."""
        left = self._end - self._cursor & ~15
        return self.want_fresh(length if 0 <= length <= left else left, scale)

    def pid(self, value: int | str) -> int:
        """Return the process id of an actor, negative for ``-B``, or *value* itself where it is a number.

        :raises UsageError: there is no such actor
        """
        if isinstance(value, int):
            return value
        if value.startswith("-"):
            return -self.pid(value[1:])
        try:
            return self.pids[value]
        except KeyError:
            raise UsageError(f"no actor {value!r} is alive") from None


class Fault(Exception):
    """An address is not mapped in the process that makes the call."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Ask for bytes of a process's own memory once its call has returned, joined in this order.

    :param parts: addresses and lengths in bytes; zeros stand for a part without an address
    :param scale: no more of them than the value that the call returned times this; 0 for all of them
    """

    parts: tuple[tuple[int | None, int], ...]
    scale: int = 0


class Caller:
    """A process that is about to make a call of its own: what its registers and its memory say.

    :param read: returns so many bytes at an address of its memory, or raises :class:`Fault`
    :param actors: names of process ids
    :param semaphores: returns how many semaphores a set has, 0 where there is none: GETALL and SETALL do not say
    :ivar glimpsed: what there is of buffers that are not whole, by address
    """

    __slots__ = ("_read", "actors", "glimpsed", "semaphores")

    def __init__(
        self,
        read: Callable[[int, int], bytes],
        actors: Mapping[int, str] = MappingProxyType({}),
        semaphores: Callable[[int], int] = lambda semid: 0,
    ) -> None:
        self._read = read
        self.actors = actors
        self.semaphores = semaphores
        self.glimpsed: dict[int, bytes] = {}

    def glimpse(self, addr: int, length: int) -> None:
        """Look at what there is of *length* bytes at *addr*, up to the first page that is not mapped."""
        found = b""
        length = min(length, MOST_GLIMPSED)
        while len(found) < length:
            at = addr + len(found)
            part = self.read_or_none(at, min(PAGE_SIZE - at % PAGE_SIZE, length - len(found)))
            if part is None:
                break
            found += part
        if found:
            self.glimpsed[addr] = found

    def read(self, addr: int, length: int) -> bytes:
        """Return *length* bytes at *addr*.

        :raises Fault: one of them is not mapped, or they are more than any call was seen to take
        """
        if not 0 <= length <= MOST_BYTES:
            raise Fault
        return self._read(addr, length) if length else b""

    def read_or_none(self, addr: int, length: int) -> bytes | None:
        """Return *length* bytes at *addr*; ``None`` where one of them is not mapped."""
        try:
            return self.read(addr, length)
        except Fault:
            return None

    def read_string(self, addr: int, most: int = PATH_MAX) -> bytes:
        """Return what stands before the next NUL, page by page; *most* bytes where there is none.

        :raises Fault: it leaves what is mapped
        """
        found = b""
        while len(found) < most:
            part = self._read(addr, min(PAGE_SIZE - addr % PAGE_SIZE, most - len(found)))
            if (end := part.find(b"\0")) >= 0:
                return found + part[:end]
            found += part
            addr += len(part)
        return found

    def out(self, name: str, addr: int, length: int = 1) -> dict[str, Pointer]:
        """Return that out-buffer *name* is an address where not all can be written; nothing where it is a buffer.

        :param length: of it, at most
        """
        try:
            self._read(addr, 1)
            last = addr + length - 1
            # Who asks for more than anybody has takes what comes.
            if length <= MOST_BYTES and last // PAGE_SIZE > addr // PAGE_SIZE:
                self._read(last, 1)
        except Fault:
            self.glimpse(addr, length)
            return {name: Pointer(addr)}
        return {}

    def pid(self, value: int) -> int | str:
        """Return the name of the actor with that process id, ``-B`` for its process group, else *value*."""
        if -value in self.actors and value < 0:
            return f"-{self.actors[-value]}"
        return self.actors.get(value, value)
