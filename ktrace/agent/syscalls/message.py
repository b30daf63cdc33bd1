"""Parameters of sendmsg, recvmsg and their plural forms: struct msghdr with names, vectors and control data."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any

from ktrace.agent.syscalls import constants as c
from ktrace.agent.syscalls import sockaddr
from ktrace.agent.syscalls.buffers import In
from ktrace.agent.syscalls.control import (
    HEADER,
    coerce_cmsg,
    name_senders,
    pack_control,
    read_control,
    show_cmsg,
    unpack_control,
)
from ktrace.agent.syscalls.frame import Caller, Fault, Frame, Wanted
from ktrace.agent.syscalls.parameter import Parameter, Values, pointer_text, sequence
from ktrace.agent.syscalls.structs import MMSGHDR, MSGHDR
from ktrace.agent.syscalls.text import Naming, format_value, quote
from ktrace.agent.syscalls.vectors import element, own_length, pack_iov, read_iov, room_of, show_element, vectors
from ktrace.errors import UsageError
from ktrace.state.call import COUNTED, NULL, Pointer
from ktrace.state.net.sockaddr import pack, unpack
from ktrace.uapi.socket import SIZEOF_SOCKADDR_STORAGE
from ktrace.uapi.uio import UIO_MAXIOV

_POINTED = ("msg_name", "msg_control")
"""Members for which ``None`` is NULL: there is none."""
_SENT = ("msg_name", "msg_namelen", "msg_iov", "msg_control", "msg_controllen", "msg_flags")


def coerce_sent(value: Any) -> Any:
    """Return a message to send in its one form.

    :raises UsageError: *value* is none
    """
    if not isinstance(value, Mapping) or not value.keys() <= set(_SENT):
        raise UsageError(f"a message is expected, not {value!r}", f"its members are {', '.join(_SENT)}")
    message = {
        name: item for name, item in value.items() if item is not None or name not in ("msg_name", "msg_control")
    }
    _require_lengths(message)
    if not isinstance(message.get("msg_name", NULL), Pointer):
        message["msg_name"] = sockaddr.coerce(message["msg_name"])
    iov = message.get("msg_iov", ())
    if not isinstance(iov, Pointer):
        message["msg_iov"] = tuple(element(item, bytes) for item in sequence("msg_iov", iov))
    control = message.get("msg_control", NULL)
    if not isinstance(control, (bytes, Pointer)):
        message["msg_control"] = tuple(coerce_cmsg(item) for item in sequence("msg_control", control))
    return message


def _require_lengths(message: Mapping[str, Any]) -> None:
    """See that the members of a struct msghdr that are numbers fit.

    :raises UsageError: one does not
    """
    numbers = ("msg_namelen", "msg_controllen", "msg_flags")
    MSGHDR.coerce({name: message[name] for name in numbers if name in message})


def pack_sent(message: Mapping[str, Any], frame: Frame) -> bytes:
    """Store a message's parts and return its struct msghdr."""
    values: dict[str, int] = {"msg_flags": message.get("msg_flags", 0)}
    name = message.get("msg_name")
    if isinstance(name, Mapping):
        packed = pack(name)
        packed = packed.ljust(min(message.get("msg_namelen", 0) & 0xFFFFFFFF, SIZEOF_SOCKADDR_STORAGE), b"\0")
        values |= {"msg_name": frame.put(packed), "msg_namelen": len(packed)}
    elif isinstance(name, Pointer):
        values |= {"msg_name": name.value, "msg_namelen": 16}
    iov = message["msg_iov"]
    if isinstance(iov, Pointer):
        values |= {"msg_iov": iov.value, "msg_iovlen": 1}
    else:
        values |= {"msg_iov": frame.put(pack_iov(iov, frame)), "msg_iovlen": len(iov)}
    control = message.get("msg_control")
    # What the lengths count beyond what is given is zeros.
    room = min(message.get("msg_controllen", 0), COUNTED)
    if isinstance(control, tuple):
        packed = pack_control(control, frame)
        values |= {"msg_control": frame.put(packed.ljust(room, b"\0")), "msg_controllen": len(packed)}
    elif isinstance(control, bytes):
        values |= {"msg_control": frame.put(control.ljust(room, b"\0")), "msg_controllen": len(control)}
    elif isinstance(control, Pointer):
        values |= {"msg_control": control.value, "msg_controllen": HEADER + 8}
    for length in ("msg_namelen", "msg_controllen"):
        if length in message:
            values[length] = message[length]
    return MSGHDR.pack(values)


def read_sent(head: bytes, caller: Caller) -> dict[str, Any]:
    """Return the message that a program's struct msghdr describes.

    :param head: the struct's bytes
    """
    values = MSGHDR.unpack(head)
    message: dict[str, Any] = {}
    if addr := values["msg_name"]:
        try:
            message["msg_name"] = sockaddr.recall_address(caller.read(addr, values["msg_namelen"]))
        except Fault:
            message["msg_name"] = Pointer(addr)
        if isinstance(message["msg_name"], Pointer) or len(pack(message["msg_name"])) != values["msg_namelen"]:
            message["msg_namelen"] = values["msg_namelen"]
    elif values["msg_namelen"]:
        message["msg_namelen"] = values["msg_namelen"]
    try:
        message["msg_iov"] = read_iov(values["msg_iov"], values["msg_iovlen"], caller)
    except Fault:
        message["msg_iov"] = Pointer(values["msg_iov"])
    if addr := values["msg_control"]:
        try:
            message["msg_control"] = read_control(caller.read(addr, values["msg_controllen"]), caller)
        except Fault:
            message["msg_control"] = Pointer(addr)
            message["msg_controllen"] = values["msg_controllen"]
    elif values["msg_controllen"]:
        message["msg_controllen"] = values["msg_controllen"]
    if values["msg_flags"]:
        message["msg_flags"] = values["msg_flags"]
    return message


def show_sent(message: Mapping[str, Any], naming: Naming) -> str:
    """Write a message to send."""
    parts = []
    for name, value in message.items():
        if isinstance(value, Pointer):
            text = pointer_text(value)
        elif name == "msg_name" and isinstance(value, Mapping):
            text = sockaddr.show(value)
        elif name == "msg_iov":
            text = "[" + ", ".join(show_element(item, naming) for item in value) + "]"
        elif name == "msg_control" and isinstance(value, tuple):
            text = "[" + ", ".join(show_cmsg(item) for item in value) + "]"
        elif name == "msg_flags":
            text = c.MSG.format(value)
        else:
            text = format_value(value)
        parts.append(f"{name}={text}")
    return "{" + ", ".join(parts) + "}"


class SentMessage(In):
    """The message of sendmsg."""

    c_type = "const struct msghdr *: a dict of " + ", ".join(_SENT)

    def convert(self, value: Any) -> Any:
        return coerce_sent(value)

    def pack(self, value: Any, frame: Frame) -> bytes:
        return pack_sent(value, frame)

    def read(self, addr: int, values: Values, caller: Caller) -> Any:
        return read_sent(caller.read(addr, MSGHDR.size), caller)

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        return show_sent(value, naming)


class SentMessages(In):
    """The messages of sendmmsg; out value ``msg_len`` says how much of each was sent."""

    c_type = "const struct mmsghdr []: dicts of " + ", ".join(_SENT)

    def convert(self, value: Any) -> tuple[Any, ...]:
        return tuple(coerce_sent(item) for item in sequence(self.name, value))

    def encode(self, values: Values, frame: Frame) -> tuple[int, ...]:
        value = values[self.name]
        if isinstance(value, Pointer):
            return (value.value,)
        data = b"".join([pack_sent(item, frame) + bytes(MMSGHDR.size - MSGHDR.size) for item in value])
        data = data.ljust(MMSGHDR.size * min(values["vlen"], UIO_MAXIOV), b"\0")
        addr = frame.put(data)
        frame.want(addr, len(data), scale=MMSGHDR.size)
        return (addr,)

    def read(self, addr: int, values: Values, caller: Caller) -> Any:
        data = caller.read(addr, MMSGHDR.size * min(values["vlen"], UIO_MAXIOV))
        return tuple(read_sent(data[at : at + MSGHDR.size], caller) for at in range(0, len(data), MMSGHDR.size))

    def wanted(self, registers: tuple[int, ...], values: Values, caller: Caller) -> list[Wanted]:
        value = values[self.name]
        if isinstance(value, Pointer):
            return []
        return [Wanted(((registers[0], MMSGHDR.size * len(value)),), scale=MMSGHDR.size)]

    def decode(self, values: Values, ret: int, take: Iterator[bytes]) -> dict[str, Any]:
        if isinstance(values[self.name], Pointer):
            return {}
        data = next(take)
        size = MMSGHDR.size
        return {"msg_len": tuple(MMSGHDR.unpack(data[at : at + size])["msg_len"] for at in range(0, ret * size, size))}

    def show(self, value: Any, values: Values, naming: Naming) -> str:
        return "[" + ", ".join(show_sent(item, naming) for item in value) + "]"


_RECEIVED = ("msg_iov", "msg_namelen", "msg_controllen", "msg_name", "msg_control")


def coerce_received(value: Any) -> Any:
    """Return a message to receive into in its one form: lengths, or addresses.

    :raises UsageError: *value* is none
    """
    if not isinstance(value, Mapping) or not value.keys() <= set(_RECEIVED):
        raise UsageError(f"a message to fill is expected, not {value!r}", f"its members are {', '.join(_RECEIVED)}")
    iov = value.get("msg_iov", ())
    if not isinstance(iov, Pointer):
        iov = tuple(element(item, int) for item in sequence("msg_iov", iov))
    message = {"msg_namelen": 0, "msg_controllen": 0, **value, "msg_iov": iov}
    _require_lengths(message)
    for name in ("msg_name", "msg_control"):
        if name in message and not isinstance(message[name], Pointer):
            raise UsageError(f"{name} is written by the kernel: give {name}len or an address, not {message[name]!r}")
    return message


def show_received(message: Mapping[str, Any], out: Mapping[str, Any] | None, naming: Naming) -> str:
    """Write a message that was received, or what was made ready for one."""
    if out is None:
        iov = message["msg_iov"]
        shown = (
            pointer_text(iov)
            if isinstance(iov, Pointer)
            else "[" + ", ".join(show_element(item, naming) for item in iov) + "]"
        )
        rest = [f"{name}={value}" for name, value in message.items() if name.endswith("len") and value]
        return "{" + ", ".join([f"msg_iov={shown}", *rest]) + "}"
    parts = []
    if out.get("msg_name") is not None:
        parts.append(f"msg_name={sockaddr.show(out['msg_name'])}")
    if "buf" in out:
        parts.append(f"msg_iov=[{quote(out['buf'], naming.width)}]")
    if out.get("msg_control"):
        parts.append("msg_control=[" + ", ".join(show_cmsg(item) for item in out["msg_control"]) + "]")
    parts.append(f"msg_flags={c.MSG.format(out['msg_flags'])}")
    return "{" + ", ".join(parts) + "}"


class ReceivedMessages(Parameter):
    """The messages that recvmmsg fills; out value ``msgvec``. One run of the arena holds all of them."""

    c_type = "struct mmsghdr []: dicts of " + ", ".join(_RECEIVED)

    def coerce(self, value: Any) -> Any:
        value = Pointer(value) if isinstance(value, int) else value
        if isinstance(value, Pointer):
            return value
        return tuple(coerce_received(item) for item in sequence(self.name, value))

    later = True

    def count(self, values: Values) -> int:
        """Return how many messages the call counts."""
        return min(int(values["vlen"]), UIO_MAXIOV)

    def heads(self, addr: int, count: int, caller: Caller) -> list[dict[str, Any]]:
        """Return the struct msghdr of each message.

        :raises Fault: they are not mapped
        """
        data = caller.read(addr, MMSGHDR.size * count)
        return [MSGHDR.unpack(data[at:]) for at in range(0, len(data), MMSGHDR.size)]

    def recall(self, registers: tuple[int, ...], values: Values, caller: Caller) -> dict[str, Any]:
        try:
            heads = self.heads(registers[0], self.count(values), caller)
        except Fault:
            return {self.name: Pointer(registers[0])}
        return {self.name: tuple(_receivable(head, caller) for head in heads)}

    def wanted(self, registers: tuple[int, ...], values: Values, caller: Caller) -> list[Wanted]:
        messages = values[self.name]
        if isinstance(messages, Pointer):
            return []
        heads = self.heads(registers[0], len(messages), caller)
        return [Wanted(((registers[0], MMSGHDR.size * len(messages)), *_parts(messages, heads, caller)))]

    def layout(self, messages: tuple[Any, ...], count: int = 1) -> tuple[list[tuple[int, int, int]], int]:
        """Return where each message's name, control data and bytes lie behind the headers, and the size.

        :param count: headers that the call counts: zeros stand for those that are missing
        :raises UsageError: they are too many
        """
        if len(messages) < count > UIO_MAXIOV:
            raise UsageError(f"{self.name} has {len(messages)} messages, the call counts {count!r}")
        at = MMSGHDR.size * max(len(messages), count)
        places = []
        for message in messages:
            name = at
            control = name + (message["msg_namelen"] + 7 & ~7)
            data = control + (message["msg_controllen"] + 7 & ~7)
            places.append((name, control, data))
            iov = message["msg_iov"]
            at = data + (0 if isinstance(iov, Pointer) else own_length(iov) + 7 & ~7)
        return places, at

    def encode(self, values: Values, frame: Frame) -> tuple[int, ...]:
        messages = values[self.name]
        if isinstance(messages, Pointer):
            return (messages.value,)
        places, size = self.layout(messages, values.get("vlen", 1))
        vectors = []
        base = frame.take(size)
        for message, (_, _, data) in zip(messages, places, strict=True):
            iov = message["msg_iov"]
            if isinstance(iov, Pointer):
                vectors.append((iov.value, 1))
                continue
            packed, where = b"", base + data
            for item in iov:
                if isinstance(item, int):
                    packed += struct.pack("<QQ", where, item)
                    where += item
                else:
                    packed += struct.pack("<QQ", item["iov_base"], item["iov_len"])
            vectors.append((frame.put(packed), len(iov)))
        heads = b""
        for message, (name, control, _), (iov, count) in zip(messages, places, vectors, strict=True):
            heads += MMSGHDR.pack(
                {
                    "msg_hdr": {
                        "msg_name": _place(message, "msg_name", base + name),
                        "msg_namelen": message["msg_namelen"],
                        "msg_iov": iov,
                        "msg_iovlen": count,
                        "msg_control": _place(message, "msg_control", base + control),
                        "msg_controllen": message["msg_controllen"],
                    }
                }
            )
        frame.stores.append((base, heads.ljust(MMSGHDR.size * values.get("vlen", 1), b"\0")))
        frame.want(base, size)
        return (base,)

    def decode(self, values: Values, ret: int, take: Iterator[bytes]) -> dict[str, Any]:
        messages = values[self.name]
        if isinstance(messages, Pointer):
            return {}
        block = next(take)
        places, _ = self.layout(messages, values["vlen"])
        received = []
        for number in range(min(ret, len(messages))):
            head = MMSGHDR.unpack(block[number * MMSGHDR.size :])
            received.append(
                {"msg_len": head["msg_len"]}
                | _decode(messages[number], head["msg_hdr"], head["msg_len"], block, places[number])
            )
        return {self.name: tuple(received)}

    def name_actors(self, out: dict[str, Any], values: Values, actors: Mapping[int, str]) -> None:
        for message in out.get(self.name, ()):
            name_senders(message, actors)

    def format(self, values: Values, out: Mapping[str, Any], naming: Naming) -> list[str]:
        messages = values[self.name]
        if isinstance(messages, Pointer):
            return [pointer_text(messages)]
        if self.name in out:
            shown = [show_received({}, item, naming) for item in out[self.name]]
        else:
            shown = [show_received(item, None, naming) for item in messages]
        return ["[" + ", ".join(shown) + "]"]


class ReceivedMessage(ReceivedMessages):
    """The message that recvmsg fills; its members are out values."""

    c_type = "struct msghdr *: a dict of " + ", ".join(_RECEIVED)

    def coerce(self, value: Any) -> Any:
        value = Pointer(value) if isinstance(value, int) else value
        return value if isinstance(value, Pointer) else coerce_received(value)

    def encode(self, values: Values, frame: Frame) -> tuple[int, ...]:
        value = values[self.name]
        if isinstance(value, Pointer):
            return (value.value,)
        return super().encode({self.name: (value,)}, frame)

    def recall(self, registers: tuple[int, ...], values: Values, caller: Caller) -> dict[str, Any]:
        try:
            head = MSGHDR.unpack(caller.read(registers[0], MSGHDR.size))
        except Fault:
            return {self.name: Pointer(registers[0])}
        return {self.name: _receivable(head, caller)}

    def wanted(self, registers: tuple[int, ...], values: Values, caller: Caller) -> list[Wanted]:
        value, addr = values[self.name], registers[0]
        if isinstance(value, Pointer):
            return []
        head = MSGHDR.unpack(caller.read(addr, MSGHDR.size))
        behind = (None, MMSGHDR.size - MSGHDR.size)
        return [Wanted(((addr, MSGHDR.size), behind, *_parts((value,), [head], caller)))]

    def decode(self, values: Values, ret: int, take: Iterator[bytes]) -> dict[str, Any]:
        value = values[self.name]
        if isinstance(value, Pointer):
            return {}
        block = next(take)
        places, _ = self.layout((value,))
        return _decode(value, MSGHDR.unpack(block), ret, block, places[0])

    def name_actors(self, out: dict[str, Any], values: Values, actors: Mapping[int, str]) -> None:
        name_senders(out, actors)

    def format(self, values: Values, out: Mapping[str, Any], naming: Naming) -> list[str]:
        value = values[self.name]
        if isinstance(value, Pointer):
            return [pointer_text(value)]
        return [show_received(value, out if "msg_flags" in out else None, naming)]


def _receivable(head: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    """Return the message that a program's struct msghdr makes room for."""
    try:
        iov: Any = room_of(head["msg_iov"], head["msg_iovlen"], caller)
    except Fault:
        iov = Pointer(head["msg_iov"])
    message = {"msg_namelen": head["msg_namelen"], "msg_controllen": head["msg_controllen"], "msg_iov": iov}
    for name in ("msg_name", "msg_control"):
        if not head[name] and head[f"{name}len"]:
            message[name] = Pointer(0)
    return message


def _parts(messages: tuple[Any, ...], heads: list[dict[str, Any]], caller: Caller) -> Iterator[tuple[int | None, int]]:
    """Yield where names, control data and bytes lie, in the order of :meth:`ReceivedMessages.layout`."""
    for message, head in zip(messages, heads, strict=True):
        for name in ("msg_name", "msg_control"):
            size = message[f"{name}len"]
            yield (head[name] or None, size)
            yield (None, -size % 8)
        iov = message["msg_iov"]
        if not isinstance(iov, Pointer) and own_length(iov):
            yield from vectors(head["msg_iov"], head["msg_iovlen"], caller)
            yield (None, -own_length(iov) % 8)


def _place(message: Mapping[str, Any], name: str, addr: int) -> int:
    pointer = message.get(name)
    if isinstance(pointer, Pointer):
        return pointer.value
    return addr if message[f"{name}len"] else 0


def _decode(
    message: Mapping[str, Any], head: Mapping[str, int], length: int, block: bytes, place: tuple[int, int, int]
) -> dict[str, Any]:
    name, control, data = place
    out: dict[str, Any] = {}
    iov = message["msg_iov"]
    if not isinstance(iov, Pointer) and (own := own_length(iov)):
        out["buf"] = block[data : data + min(length, own)]
    namelen = head["msg_namelen"]
    if message["msg_namelen"] and "msg_name" not in message:
        out["msg_name"] = unpack(block[name : name + min(max(namelen, 0), message["msg_namelen"])])
    out["msg_namelen"] = namelen
    if "msg_control" not in message:
        out["msg_control"] = unpack_control(
            block[control : control + min(head["msg_controllen"], message["msg_controllen"])]
        )
    out["msg_controllen"] = head["msg_controllen"]
    out["msg_flags"] = head["msg_flags"]
    return out
