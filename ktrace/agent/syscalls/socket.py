"""Signatures of sockets (net/socket.c)."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ktrace.agent.syscalls import constants as c
from ktrace.agent.syscalls.buffers import In, InBytes, InStruct, OutBytes, OutInts, pack_struct, read_struct
from ktrace.agent.syscalls.frame import Caller, Frame, Wanted
from ktrace.agent.syscalls.layout import Struct, require_fit
from ktrace.agent.syscalls.message import ReceivedMessage, ReceivedMessages, SentMessage, SentMessages
from ktrace.agent.syscalls.parameter import Fd, Int, Long, Parameter, Values, count_of, pointer_text
from ktrace.agent.syscalls.signature import FD, Signature
from ktrace.agent.syscalls.sockaddr import Address, AddressLength, AddressOut, put_length, recall_length
from ktrace.agent.syscalls.structs import LINGER, TCP_INFO, TIMESPEC, TIMEVAL, UCRED
from ktrace.agent.syscalls.text import Naming, format_struct, format_value
from ktrace.errors import UsageError
from ktrace.state.call import COUNTED, Pointer
from ktrace.uapi import tcp as uapi_tcp
from ktrace.uapi.in6 import IPV6_ADD_MEMBERSHIP, IPV6_DROP_MEMBERSHIP
from ktrace.uapi.in_ import (
    IP_ADD_MEMBERSHIP,
    IP_ADD_SOURCE_MEMBERSHIP,
    IP_BLOCK_SOURCE,
    IP_DROP_MEMBERSHIP,
    IP_DROP_SOURCE_MEMBERSHIP,
    IP_MULTICAST_IF,
    IP_OPTIONS,
    IP_UNBLOCK_SOURCE,
)
from ktrace.uapi.socket import (
    SO_BINDTODEVICE,
    SO_LINGER,
    SO_MEMINFO,
    SO_PEERCRED,
    SO_PEERGROUPS,
    SO_PEERNAME,
    SO_PEERSEC,
    SO_RCVTIMEO,
    SO_SNDTIMEO,
    SOL_IP,
    SOL_IPV6,
    SOL_SOCKET,
    SOL_TCP,
)

_SO_STRUCTS: Mapping[int, Struct] = {
    SO_LINGER: LINGER,
    SO_RCVTIMEO: TIMEVAL,
    SO_SNDTIMEO: TIMEVAL,
    SO_PEERCRED: UCRED,
}
_TCP_INFO = (SOL_TCP, uapi_tcp.TCP_INFO)
_BYTES = {
    (SOL_SOCKET, SO_BINDTODEVICE): 16,
    (SOL_SOCKET, SO_PEERNAME): 128,
    (SOL_SOCKET, SO_PEERSEC): 64,
    (SOL_SOCKET, SO_PEERGROUPS): 128,
    (SOL_SOCKET, SO_MEMINFO): 36,
    (SOL_TCP, uapi_tcp.TCP_CONGESTION): 16,
    (SOL_IP, IP_OPTIONS): 40,
}
"""Options whose values are neither ints nor known structs, with the room that they get."""


def _layout(values: Values) -> Struct | None:
    if (values["level"], values["optname"]) == _TCP_INFO:
        return TCP_INFO
    return _SO_STRUCTS.get(values["optname"]) if values["level"] == SOL_SOCKET else None


_MREQ, _MREQ_SOURCE, _MREQ6 = ("4", "4", "i"), ("4", "4", "4"), ("6", "i")
_ADDRESSES: Mapping[tuple[int, int], tuple[str, ...]] = {
    **{(SOL_IP, option): _MREQ for option in (IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP, IP_MULTICAST_IF)},
    **{
        (SOL_IP, option): _MREQ_SOURCE
        for option in (IP_ADD_SOURCE_MEMBERSHIP, IP_DROP_SOURCE_MEMBERSHIP, IP_BLOCK_SOURCE, IP_UNBLOCK_SOURCE)
    },
    **{(SOL_IPV6, option): _MREQ6 for option in (IPV6_ADD_MEMBERSHIP, IPV6_DROP_MEMBERSHIP)},
}
"""Members of structs that hold addresses: of four bytes, of sixteen, or a number; the last may be missing."""


def option_struct(level: int, optname: int, members: Sequence[Any]) -> Mapping[str, int] | bytes:
    """Return what ``{a, b}`` means to a socket option: its struct, or numbers in a row where it has none.

    :raises UsageError: the members do not fit
    """
    layout = _SO_STRUCTS.get(optname) if level == SOL_SOCKET else None
    if layout is not None:
        return layout.coerce(members)
    codes = _ADDRESSES.get((level, optname), ("i",) * len(members))
    if len(members) not in (len(codes), len(codes) - 1):
        raise UsageError(f"the option's struct has {len(codes)} members, not {len(members)!r}")
    return b"".join([_member(code, value) for code, value in zip(codes, members, strict=False)])


def _member(code: str, value: Any) -> bytes:
    size = 16 if code == "6" else 4
    if isinstance(value, int):
        return value.to_bytes(size, "big") if code != "i" else struct.pack("<I", value & 0xFFFFFFFF)
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        if isinstance(value, bytes) and len(value) == size:
            return value
        raise UsageError(f"a member of the option is a number or an address, not {value!r}") from None
    if f"{address.version}" != code:
        raise UsageError(f"{text!r} does not fit into the option's struct")
    return address.packed


class OptionName(Int):
    """The name of a socket option, which depends on the level."""

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        vocabulary = c.OPTIONS.get(values["level"])
        return vocabulary.format(value) if vocabulary else str(value)


class OptionIn(In):
    """The value that setsockopt reads: a number, a string or a struct, its members in the option's own order."""

    c_type = "const void *: a number, a string, or the members of the option's struct"

    numeric = True

    def coerce_among(self, value: Any, values: Values) -> Any:
        if isinstance(value, (tuple, list)):
            return option_struct(values["level"], values["optname"], value)
        return self.coerce(value)

    def convert(self, value: Any) -> Any:
        if isinstance(value, int):
            require_fit(self.name, "I", value)
        if isinstance(value, (int, bytes)):
            return value
        if isinstance(value, Mapping):
            for layout in (LINGER, TIMEVAL, UCRED):
                if value.keys() <= layout.fields.keys():
                    return layout.coerce(value)
        raise UsageError(f"{self.name} is a number, a string or a struct, not {value!r}")

    def pack(self, value: Any, frame: Frame) -> bytes:
        if isinstance(value, int):
            return struct.pack("<I", value & 0xFFFFFFFF)
        if isinstance(value, bytes):
            return value
        return pack_struct(_option_layout(value), value, frame)

    def read(self, addr: int, values: Values, caller: Caller) -> Any:
        data = caller.read(addr, values["optlen"])
        layout = _SO_STRUCTS.get(values["optname"]) if values["level"] == SOL_SOCKET else None
        if layout is not None and len(data) == layout.size:
            return read_struct(layout, data, caller)
        named = (values["level"], values["optname"]) in _ADDRESSES or (values["level"], values["optname"]) in _BYTES
        return int.from_bytes(data, "little", signed=True) if len(data) == 4 and not named else data

    def fill(self, data: bytes, values: Values) -> bytes:
        return data.ljust(min(values["optlen"] & 0xFFFFFFFF, COUNTED), b"\0")

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        if isinstance(value, Mapping):
            return format_struct(_option_layout(value), value)
        return f"[{value}]" if isinstance(value, int) else format_value(value)


def _option_layout(value: Mapping[str, int]) -> Struct:
    return next(layout for layout in (LINGER, TIMEVAL, UCRED) if value.keys() <= layout.fields.keys())


def _option_size(values: Values) -> int:
    value = values["optval"]
    if isinstance(value, bytes):
        return len(value)
    return _option_layout(value).size if isinstance(value, Mapping) else 4


class OptionOut(Parameter):
    """The value that getsockopt writes, and its length, which it reads and writes."""

    c_type = "socklen_t *"

    def __init__(self) -> None:
        super().__init__("optlen", late=self._room)

    @staticmethod
    def _room(values: Values) -> int:
        layout = _layout(values)
        return layout.size if layout else _BYTES.get((values["level"], values["optname"]), 4)

    @property
    def places(self) -> tuple[str, ...]:
        return ("optval", "optlen")

    @property
    def outs(self) -> tuple[str, ...]:
        return ("optval",)

    def encode(self, values: Values, frame: Frame) -> tuple[int, ...]:
        pointer, length = values.get("optval"), values["optlen"]
        if isinstance(pointer, Pointer):
            addr = pointer.value
        else:
            addr = frame.want_up_to(length if isinstance(length, int) and 0 <= length < 4096 else 4096)
        return (addr, put_length(length, frame))

    def recall(self, registers: tuple[int, ...], values: Values, caller: Caller) -> dict[str, Any]:
        found: dict[str, Any] = caller.out("optval", registers[0])
        return {**found, "optlen": recall_length(registers[1], caller)}

    def wanted(self, registers: tuple[int, ...], values: Values, caller: Caller) -> list[Wanted]:
        length = values["optlen"]
        found = []
        if "optval" not in values:
            size = length if isinstance(length, int) and 0 <= length < 4096 else 4096
            found.append(Wanted(((registers[0], size),)))
        if isinstance(length, int):
            found.append(Wanted(((registers[1], 4),)))
        return found

    def decode(self, values: Values, ret: int, take: Iterator[bytes]) -> dict[str, Any]:
        data = None if isinstance(values.get("optval"), Pointer) else next(take)
        if isinstance(values["optlen"], Pointer):
            return {}
        length = struct.unpack("<i", next(take))[0]
        if data is None:
            return {"optlen": length}
        data = data[: max(length, 0)]
        value: Any = data
        layout = _layout(values)
        if layout is not None and length == layout.size:
            value = layout.unpack(data)
        elif (values["level"], values["optname"]) not in _BYTES and length in (1, 4):
            value = int.from_bytes(data, "little", signed=length == 4)
        return {"optval": value, "optlen": length}

    def name_actors(self, out: dict[str, Any], values: Values, actors: Mapping[int, str]) -> None:
        if isinstance(value := out.get("optval"), dict) and "pid" in value:
            UCRED.name_actors(value, actors)

    def format(self, values: Values, out: Mapping[str, Any], naming: Naming) -> list[str]:
        parts = []
        pointer, length = values.get("optval"), values["optlen"]
        if isinstance(pointer, Pointer):
            parts.append(pointer_text(pointer))
        elif "optval" in out:
            value = out["optval"]
            parts.append(f"[{value}]" if isinstance(value, int) else format_value(value))
        if isinstance(length, Pointer):
            parts.append(pointer_text(length))
        elif "optlen" in out:
            parts.append(f"[{length} => {out['optlen']}]" if length != out["optlen"] else f"[{length}]")
        elif length != self._room(values):
            parts.append(f"[{length}]")
        return parts


_NEW = (Int("domain", c.FAMILY), Int("type", c.SOCKET_TYPE), Int("protocol", c.PROTOCOL, default=0))
_FLAGS = Int("flags", c.MSG, default=0)
_OPTION = (Fd("sockfd"), Int("level", c.LEVEL), OptionName("optname"))

SIGNATURES = (
    Signature("socket", 41, *_NEW, returns=FD),
    Signature("socketpair", 53, *_NEW, OutInts("sv", "i", 2, descriptors=True)),
    Signature("bind", 49, Fd("sockfd"), Address("addr", counted="addrlen"), AddressLength("addrlen", "addr")),
    Signature("connect", 42, Fd("sockfd"), Address("addr", counted="addrlen"), AddressLength("addrlen", "addr")),
    Signature("listen", 50, Fd("sockfd"), Int("backlog")),
    Signature("accept", 43, Fd("sockfd"), AddressOut("addr", "addrlen"), returns=FD),
    Signature("accept4", 288, Fd("sockfd"), AddressOut("addr", "addrlen"), Int("flags", c.ACCEPT), returns=FD),
    Signature("getsockname", 51, Fd("sockfd"), AddressOut("addr", "addrlen")),
    Signature("getpeername", 52, Fd("sockfd"), AddressOut("addr", "addrlen")),
    Signature(
        "sendto",
        44,
        Fd("sockfd"),
        InBytes("buf", counted="len"),
        Long("len", late=count_of("buf")),
        _FLAGS,
        Address("dest_addr", default=None, counted="addrlen"),
        AddressLength("addrlen", "dest_addr"),
    ),
    Signature(
        "recvfrom",
        45,
        Fd("sockfd"),
        OutBytes("buf", "len"),
        Long("len"),
        _FLAGS,
        AddressOut("addr", "addrlen"),
    ),
    Signature("sendmsg", 46, Fd("sockfd"), SentMessage("msg"), _FLAGS),
    Signature("recvmsg", 47, Fd("sockfd"), ReceivedMessage("msg"), _FLAGS),
    Signature("sendmmsg", 307, Fd("sockfd"), SentMessages("msgvec"), Int("vlen", late=count_of("msgvec")), _FLAGS),
    Signature(
        "recvmmsg",
        299,
        Fd("sockfd"),
        ReceivedMessages("msgvec"),
        Int("vlen", late=count_of("msgvec")),
        _FLAGS,
        InStruct("timeout", TIMESPEC, default=None),
    ),
    Signature("shutdown", 48, Fd("sockfd"), Int("how", c.SHUTDOWN)),
    Signature("getsockopt", 55, *_OPTION, OptionOut()),
    Signature("setsockopt", 54, *_OPTION, OptionIn("optval"), Int("optlen", late=_option_size)),
)
