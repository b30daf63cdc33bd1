"""Socket addresses as dicts, and the parameters that carry them."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator, Mapping
from typing import Any

from ktrace.agent.syscalls.buffers import In
from ktrace.agent.syscalls.constants import FAMILY
from ktrace.agent.syscalls.frame import Caller, Fault, Frame, Wanted
from ktrace.agent.syscalls.layout import require_fit
from ktrace.agent.syscalls.parameter import Int, Parameter, Values, pointer_text, shown
from ktrace.agent.syscalls.text import Naming, quote
from ktrace.errors import UsageError
from ktrace.state.call import Pointer
from ktrace.state.net.sockaddr import pack, unpack
from ktrace.suggest import Written
from ktrace.uapi.socket import AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_UNIX, SIZEOF_SOCKADDR_STORAGE

MEMBERS: Mapping[int, Mapping[str, Any]] = {
    AF_UNIX: {"sun_path": b""},
    AF_INET: {"sin_port": 0, "sin_addr": "0.0.0.0"},
    AF_INET6: {"sin6_port": 0, "sin6_flowinfo": 0, "sin6_addr": "::", "sin6_scope_id": 0},
    AF_NETLINK: {"nl_pid": 0, "nl_groups": 0},
    AF_PACKET: {"sll_protocol": 0, "sll_ifindex": 0, "sll_hatype": 0, "sll_pkttype": 0, "sll_addr": b""},
}
"""Members of each family's sockaddr beside ``sa_family``, with their defaults."""
OTHER = {"sa_data": b""}
_CODES = {
    "sa_family": "H",
    "sin_port": "H",
    "sin6_port": "H",
    "sin6_flowinfo": "I",
    "sin6_scope_id": "I",
    "nl_pid": "I",
    "nl_groups": "I",
    "sll_protocol": "H",
    "sll_ifindex": "i",
    "sll_hatype": "H",
    "sll_pkttype": "B",
}
"""The :mod:`struct` codes of members that are numbers."""


def coerce(value: Any) -> dict[str, Any]:
    """Return a socket address with every member.

    :raises UsageError: *value* is none
    """
    if not isinstance(value, Mapping) or not isinstance(value.get("sa_family"), int):
        raise UsageError(
            f"a socket address is expected, not {value!r}",
            Written(
                'write unix("/tmp/s") or inet("127.0.0.1", 5000)',
                'write ktrace.unix("/tmp/s") or ktrace.inet("127.0.0.1", 5000)',
            ),
        )
    family = value["sa_family"]
    members = MEMBERS.get(family, OTHER)
    if "sa_data" in value:
        members = OTHER
    value = {
        name: item.decode("ascii", "replace")
        if isinstance(item, bytes) and isinstance(members.get(name), str)
        else item
        for name, item in value.items()
    }
    for name, item in value.items():
        if name != "sa_family" and name not in members:
            known = ", ".join(members)
            raise UsageError(f"an address of {FAMILY.format(family)} has no member {name!r}", f"it has {known}")
        if name in members and isinstance(members[name], str) and isinstance(item, str):
            try:
                ipaddress.ip_address(item)
            except ValueError:
                raise UsageError(f"{item!r} is no IP address") from None
        elif name in members and type(members[name]) is not type(item):
            kind = "a number" if isinstance(members[name], int) else "a string"
            raise UsageError(f"{name} is {kind}, not {shown(item)}")
        if isinstance(item, int):
            require_fit(name, _CODES[name], item)
    return {"sa_family": family, **members, **{n: v for n, v in value.items() if n != "sa_family"}}


def show(addr: Mapping[str, Any] | None) -> str:
    """Write an address as scripts do."""
    if addr is None:
        return "NULL"
    family = addr["sa_family"]
    plain = all(addr.get(name) == default for name, default in MEMBERS.get(family, OTHER).items())
    if "sa_data" not in addr:
        if family == AF_UNIX:
            path = addr.get("sun_path", b"")
            return f"unix(@{quote(path[1:])})" if path[:1] == b"\0" else f"unix({quote(path) if path else ''})"
        if family == AF_INET:
            return f'inet("{addr["sin_addr"]}", {addr["sin_port"]})'
        if family == AF_INET6 and not addr["sin6_flowinfo"] and not addr["sin6_scope_id"]:
            return f'inet6("{addr["sin6_addr"]}", {addr["sin6_port"]})'
    members = {} if plain else {name: item for name, item in addr.items() if name != "sa_family"}
    shown = [f"{name}={_show_member(item)}" for name, item in members.items()]
    return "{" + ", ".join([f"sa_family={FAMILY.format(family)}", *shown]) + "}"


def _show_member(value: Any) -> str:
    if isinstance(value, bytes):
        return quote(value)
    return f'"{value}"' if isinstance(value, str) else str(value)


class Address(In):
    """A socket address that the kernel reads."""

    c_type = "const struct sockaddr *: ktrace.unix(...), ktrace.inet(...), ..."

    most = SIZEOF_SOCKADDR_STORAGE

    def convert(self, value: Any) -> dict[str, Any]:
        return coerce(value)

    def pack(self, value: Any, frame: Frame) -> bytes:
        return pack(value)

    def read(self, addr: int, values: Values, caller: Caller) -> Any:
        return recall_address(caller.read(addr, self.count(values)))

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        return show(value)


def recall_address(data: bytes) -> dict[str, Any]:
    """Return the address in *data* so that :func:`pack` makes these bytes of it again.

    :raises Fault: it has no family
    """
    addr = unpack(data)
    if addr is None:
        raise Fault
    if pack(addr).ljust(len(data), b"\0") == data:
        return addr
    return {"sa_family": addr["sa_family"], "sa_data": data[2:]}


def recall_length(addr: int, caller: Caller) -> int | Pointer:
    """Return the ``int`` at *addr*, the address where it is not mapped."""
    try:
        return int.from_bytes(caller.read(addr, 4), "little", signed=True) if addr else Pointer(0)
    except Fault:
        return Pointer(addr)


def put_length(length: int | Pointer, frame: Frame) -> int:
    """Return where a call finds the length of a buffer, and leaves that of what it wrote.

    :param length: ``int *``
    """
    if isinstance(length, Pointer):
        return length.value
    where = frame.put(struct.pack("<I", length & 0xFFFFFFFF))
    frame.want(where, 4)
    return where


class AddressLength(Int):
    """The size of the address in argument *of*, unless a script says otherwise."""

    c_type = "socklen_t"

    def __init__(self, name: str, of: str) -> None:
        def size(values: Values) -> int:
            value = values[of]
            if isinstance(value, Pointer):
                raise UsageError(f"{of} is an address", "give every argument, in the order of the C prototype")
            return len(pack(value)) if isinstance(value, Mapping) else 0

        super().__init__(name, late=size)


class AddressOut(Parameter):
    """A socket address that the kernel writes, and its length, which it reads and writes."""

    c_type = "socklen_t *"

    def __init__(self, name: str, length: str) -> None:
        super().__init__(length, default=128)
        self.buffer = name

    @property
    def places(self) -> tuple[str, ...]:
        return (self.buffer, self.name)

    @property
    def outs(self) -> tuple[str, ...]:
        return (self.buffer,)

    def coerce(self, value: Any) -> int | Pointer:
        if not isinstance(value, (int, Pointer)):
            raise UsageError(f"{self.name} is a number, not {value!r}")
        return value

    def encode(self, values: Values, frame: Frame) -> tuple[int, ...]:
        pointer, length = values.get(self.buffer), values[self.name]
        if isinstance(pointer, Pointer):
            addr = pointer.value
        else:
            size = length if isinstance(length, int) and 0 <= length < 128 else 128
            addr = frame.want_fresh(size)
        return (addr, put_length(length, frame))

    def recall(self, registers: tuple[int, ...], values: Values, caller: Caller) -> dict[str, Any]:
        found: dict[str, Any] = caller.out(self.buffer, registers[0])
        return {**found, self.name: recall_length(registers[1], caller)}

    def wanted(self, registers: tuple[int, ...], values: Values, caller: Caller) -> list[Wanted]:
        length = values[self.name]
        found = []
        if self.buffer not in values:
            size = length if isinstance(length, int) and 0 <= length < 128 else 128
            found.append(Wanted(((registers[0], size),)))
        if isinstance(length, int):
            found.append(Wanted(((registers[1], 4),)))
        return found

    def decode(self, values: Values, ret: int, take: Iterator[bytes]) -> dict[str, Any]:
        data = None if isinstance(values.get(self.buffer), Pointer) else next(take)
        if isinstance(values[self.name], Pointer):
            return {}
        length = struct.unpack("<i", next(take))[0]
        out: dict[str, Any] = {self.name: length}
        if data is not None:
            out = {self.buffer: unpack(data[: max(length, 0)]), **out}
        return out

    def format(self, values: Values, out: Mapping[str, Any], naming: Naming) -> list[str]:
        parts = []
        pointer, length = values.get(self.buffer), values[self.name]
        if isinstance(pointer, Pointer):
            parts.append(pointer_text(pointer))
        elif self.buffer in out:
            parts.append(show(out[self.buffer]))
        if isinstance(length, Pointer):
            parts.append(pointer_text(length))
        elif self.name in out:
            parts.append(f"[{length} => {out[self.name]}]")
        elif length != 128:
            parts.append(f"[{length}]")
        return parts
