"""Parameters that are arrays of buffers, of descriptors to poll, or of events."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any

from ktrace.agent.syscalls.buffers import In, InStructs, Out
from ktrace.agent.syscalls.frame import Caller, Fault, Frame, Wanted
from ktrace.agent.syscalls.layout import Struct
from ktrace.agent.syscalls.parameter import Long, Values, ints, sequence, shown
from ktrace.agent.syscalls.structs import EPOLL_EVENT, POLLFD
from ktrace.agent.syscalls.text import Naming, format_struct, quote
from ktrace.errors import UsageError
from ktrace.include.linux.limits import U64_MAX
from ktrace.state.call import Pointer
from ktrace.suggest import Written
from ktrace.uapi.uio import UIO_MAXIOV

FD_SETSIZE = 1024
"""``__FD_SETSIZE``: descriptors that a set of ``<sys/select.h>`` holds."""

MOST_FDS = 1 << 14
"""Descriptors that poll may be asked about: no limit of an actor is larger."""

IOVEC = Struct("iovec", ("iov_base", "Q"), ("iov_len", "Q"))
_IOVEC = struct.Struct("<QQ")


def element(value: Any, plain: type) -> Any:
    """Return one element of an iovec array: *plain* data, or an address and a length.

    :raises UsageError: it is neither
    """
    if isinstance(value, plain):
        if isinstance(value, int) and value < 0:
            raise UsageError(f"a length of an iovec is 0 or more, not {value}", "write an address and a length")
        return value
    if isinstance(value, (tuple, list)):
        value = dict(zip(("iov_base", "iov_len"), value, strict=False))
    if isinstance(value, Mapping) and value.keys() == {"iov_base", "iov_len"}:
        base = value["iov_base"]
        base = base.value if isinstance(base, Pointer) else base
        if isinstance(base, int) and isinstance(value["iov_len"], int):
            return IOVEC.coerce({"iov_base": base, "iov_len": value["iov_len"]})
    kind = "a string" if plain is bytes else "a length"
    raise UsageError(
        f"an iovec is {kind} or an address and a length, not {shown(value)}",
        Written("write {iov_base, iov_len}", "write (iov_base, iov_len)"),
    )


def show_element(value: Any, naming: Naming) -> str:
    """Write one element of an iovec array."""
    if isinstance(value, bytes):
        return quote(value, naming.width)
    if isinstance(value, int):
        return str(value)
    return f"{{iov_base={value['iov_base']:#x}, iov_len={value['iov_len']}}}"


class IovIn(In):
    """An iovec array that the kernel reads from: strings, or addresses and lengths."""

    c_type = "const struct iovec []: of bytes, or of (iov_base, iov_len)"

    item = _IOVEC.size
    most = UIO_MAXIOV

    def convert(self, value: Any) -> tuple[Any, ...]:
        return tuple(element(item, bytes) for item in sequence(self.name, value))

    def pack(self, value: Any, frame: Frame) -> bytes:
        return pack_iov(value, frame)

    def read(self, addr: int, values: Values, caller: Caller) -> Any:
        return read_iov(addr, self.count(values), caller)

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        return "[" + ", ".join(show_element(item, naming) for item in value) + "]"


def pack_iov(items: tuple[Any, ...], frame: Frame) -> bytes:
    """Store the strings of *items* and return the iovec array that points at them."""
    parts = []
    for item in items:
        if isinstance(item, bytes):
            parts.append(_IOVEC.pack(frame.put(item), len(item)))
        else:
            parts.append(IOVEC.pack(item))
    return b"".join(parts)


def vectors(addr: int, count: int, caller: Caller) -> list[tuple[int, int]]:
    """Return the addresses and lengths in an iovec array of a program.

    :raises Fault: it is not mapped
    """
    return list(_IOVEC.iter_unpack(caller.read(addr, count * _IOVEC.size)))


def read_iov(addr: int, count: int, caller: Caller) -> tuple[Any, ...]:
    """Return the strings of an iovec array; an address and a length where one is not mapped.

    :raises Fault: the array is not mapped
    """
    items: list[Any] = []
    for base, length in vectors(addr, count, caller):
        try:
            items.append(caller.read(base, length))
        except Fault:
            caller.glimpse(base, length)
            items.append({"iov_base": base, "iov_len": length})
    return tuple(items)


class IovOut(IovIn):
    """An iovec array that the kernel writes to: lengths, joined in out value ``buf``."""

    c_type = "const struct iovec []: of lengths, or of (iov_base, iov_len)"

    def convert(self, value: Any) -> tuple[Any, ...]:
        return tuple(element(item, int) for item in sequence(self.name, value))

    def pack(self, value: Any, frame: Frame) -> bytes:
        return ask_iov(value, frame)

    def read(self, addr: int, values: Values, caller: Caller) -> Any:
        return room_of(addr, self.count(values), caller)

    def wanted(self, registers: tuple[int, ...], values: Values, caller: Caller) -> list[Wanted]:
        items = values[self.name]
        if isinstance(items, Pointer) or not own_length(items):
            return []
        return [Wanted(tuple(vectors(registers[0], self.count(values), caller)), scale=1)]

    def decode(self, values: Values, ret: int, take: Iterator[bytes]) -> dict[str, Any]:
        items = values[self.name]
        if isinstance(items, Pointer) or not own_length(items):
            return {}
        return {"buf": next(take)[:ret]}

    def format(self, values: Values, out: Mapping[str, Any], naming: Naming) -> list[str]:
        if "buf" in out:
            return [quote(out["buf"], naming.width)]
        return super().format(values, out, naming)


def room_of(addr: int, count: int, caller: Caller) -> tuple[Any, ...]:
    """Return the lengths in an iovec array that is to be filled; with its address where one is not mapped.

    :raises Fault: the array is not mapped
    """
    return tuple(
        {"iov_base": base, "iov_len": length} if length and caller.out("", base, length) else length
        for base, length in vectors(addr, count, caller)
    )


def own_length(items: tuple[Any, ...]) -> int:
    """Return how many bytes of an iovec array the arena provides; 0 where an address is among them."""
    return sum(items) if all(isinstance(item, int) for item in items) else 0


def ask_iov(items: tuple[Any, ...], frame: Frame) -> bytes:
    """Reserve one run of bytes for all of *items*, ask for it, and return the iovec array."""
    length = own_length(items)
    base = frame.want_fresh(length, scale=1) if length else 0
    parts = []
    for item in items:
        if isinstance(item, int):
            parts.append(_IOVEC.pack(base if length else frame.take(item), item))
            base += item
        else:
            parts.append(IOVEC.pack(item))
    return b"".join(parts)


class PollFds(InStructs):
    """An array of pollfd; what came is out value ``revents``."""

    def __init__(self, name: str) -> None:
        super().__init__(name, POLLFD, counted="nfds")
        self.most = MOST_FDS

    def convert(self, value: Any) -> tuple[dict[str, Any], ...]:
        return tuple({"fd": item["fd"], "events": item["events"]} for item in super().convert(value))

    def encode(self, values: Values, frame: Frame) -> tuple[int, ...]:
        value = values[self.name]
        if isinstance(value, Pointer):
            return (value.value,)
        data = self.fill(self.pack(value, frame), values)
        addr = frame.put(data)
        frame.want(addr, len(data))
        return (addr,)

    def decode(self, values: Values, ret: int, take: Iterator[bytes]) -> dict[str, Any]:
        if isinstance(values[self.name], Pointer):
            return {}
        data = next(take)
        return {"revents": tuple(item[2] for item in struct.iter_unpack("<iHH", data))}

    def read(self, addr: int, values: Values, caller: Caller) -> Any:
        return self.convert(super().read(addr, values, caller))

    def wanted(self, registers: tuple[int, ...], values: Values, caller: Caller) -> list[Wanted]:
        value = values[self.name]
        return [] if isinstance(value, Pointer) else [Wanted(((registers[0], self.item * len(value)),))]

    def format(self, values: Values, out: Mapping[str, Any], naming: Naming) -> list[str]:
        value = values[self.name]
        if isinstance(value, Pointer):
            return super().format(values, out, naming)
        got = out.get("revents", (0,) * len(value))
        shown = [
            f"{{fd={naming.descriptor(item.get('fd', 0))}, events={_events(item.get('events', 0))}"
            + (f", revents={_events(revents)}}}" if revents else "}")
            for item, revents in zip(value, got, strict=False)
        ]
        return ["[" + ", ".join(shown) + "]"]


def _events(bits: int) -> str:
    return POLLFD.vocabularies["events"].format(bits)


class FdSet(In):
    """A set of descriptors that the kernel reads and writes back; NULL as ``None``."""

    c_type = "fd_set *: a list of descriptors"

    def __init__(self, name: str) -> None:
        super().__init__(name, nullable=True)

    def convert(self, value: Any) -> tuple[int, ...]:
        fds = ints(self.name, value)
        if any(not 0 <= fd < FD_SETSIZE for fd in fds):
            raise UsageError(f"{self.name} holds descriptors below 1024, not {fds!r}")
        return fds

    def encode(self, values: Values, frame: Frame) -> tuple[int, ...]:
        value = values[self.name]
        if value is None or isinstance(value, Pointer):
            return super().encode(values, frame)
        bits = 0
        for fd in value:
            bits |= 1 << fd
        addr = frame.put(bits.to_bytes(128, "little"))
        frame.want(addr, 128)
        return (addr,)

    def decode(self, values: Values, ret: int, take: Iterator[bytes]) -> dict[str, Any]:
        if not isinstance(values[self.name], tuple):
            return {}
        return {self.name: _members(next(take))}

    def read(self, addr: int, values: Values, caller: Caller) -> Any:
        return _members(caller.read(addr, _fds_bytes(values["nfds"])))

    def wanted(self, registers: tuple[int, ...], values: Values, caller: Caller) -> list[Wanted]:
        whole = isinstance(values[self.name], tuple)
        return [Wanted(((registers[0], _fds_bytes(values["nfds"])),))] if whole else []

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        return "[" + ", ".join(naming.descriptor(fd) for fd in value) + "]"


def _members(data: bytes) -> tuple[int, ...]:
    bits = int.from_bytes(data, "little")
    return tuple(fd for fd in range(bits.bit_length()) if bits >> fd & 1)


def _fds_bytes(nfds: int) -> int:
    """Return how much of a set the kernel reads and writes (``fs/select.c: FDS_BYTES()``), up to FD_SETSIZE."""
    return (min(max(nfds, 0), FD_SETSIZE) + 63) // 64 * 8


class SignalMask(In):
    """A set of signals as a mask; NULL as ``None``."""

    c_type = "const sigset_t *: a mask"

    numeric = True

    def convert(self, value: Any) -> int:
        return Long(self.name).coerce(value) & U64_MAX

    def pack(self, value: Any, frame: Frame) -> bytes:
        return struct.pack("<Q", value)

    def read(self, addr: int, values: Values, caller: Caller) -> Any:
        return int.from_bytes(caller.read(addr, 8), "little")

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        return f"{value:#x}"


class SignalMaskAndSize(SignalMask):
    """A set of signals as pselect6 takes it: behind a pointer to its address and size."""

    def encode(self, values: Values, frame: Frame) -> tuple[int, ...]:
        (mask,) = super().encode(values, frame)
        return (frame.put(struct.pack("<QQ", mask, 8)) if mask else 0,)

    def read(self, addr: int, values: Values, caller: Caller) -> Any:
        mask = int.from_bytes(caller.read(addr, 8), "little")
        return super().read(mask, values, caller) if mask else None


class SignalMaskOut(Out):
    """A set of signals that the kernel writes, as a mask."""

    c_type = "sigset_t: a mask"

    def ask(self, values: Values, frame: Frame) -> int:
        return frame.want_fresh(8)

    def length(self, values: Values) -> int:
        return 8

    def unpack(self, data: bytes, values: Values, ret: int) -> int:
        return int.from_bytes(data, "little")

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        return f"{value:#x}"


class EpollEvents(Out):
    """The events that epoll_wait reports, packed structs."""

    c_type = f"{EPOLL_EVENT.declared()} []"

    def ask(self, values: Values, frame: Frame) -> int:
        return frame.want_up_to(values["maxevents"] * EPOLL_EVENT.size, scale=EPOLL_EVENT.size)

    scale = EPOLL_EVENT.size

    def length(self, values: Values) -> int:
        return max(int(values["maxevents"]), 0) * EPOLL_EVENT.size

    def unpack(self, data: bytes, values: Values, ret: int) -> tuple[dict[str, Any], ...]:
        size = EPOLL_EVENT.size
        return tuple(EPOLL_EVENT.unpack(data[at : at + size]) for at in range(0, ret * size, size))

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        return "[" + ", ".join(format_struct(EPOLL_EVENT, item) for item in value) + "]"
