"""Control messages: descriptors and credentials that travel with data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ktrace.agent.syscalls import constants as c
from ktrace.agent.syscalls.buffers import pack_struct
from ktrace.agent.syscalls.frame import Caller, Frame
from ktrace.agent.syscalls.layout import pack_ints, unpack_ints
from ktrace.agent.syscalls.parameter import ints
from ktrace.agent.syscalls.structs import CMSGHDR, TIMESPEC, TIMEVAL, UCRED
from ktrace.agent.syscalls.text import format_value
from ktrace.errors import UsageError
from ktrace.suggest import Written
from ktrace.uapi.socket import (
    SCM_CREDENTIALS,
    SCM_RIGHTS,
    SO_TIMESTAMP_NEW,
    SO_TIMESTAMP_OLD,
    SO_TIMESTAMPNS_NEW,
    SO_TIMESTAMPNS_OLD,
    SOL_SOCKET,
)

_STAMPS = {
    SO_TIMESTAMP_OLD: TIMEVAL,
    SO_TIMESTAMPNS_OLD: TIMESPEC,
    SO_TIMESTAMP_NEW: TIMEVAL,
    SO_TIMESTAMPNS_NEW: TIMESPEC,
}
"""Old and new are the same on 64 bits."""

HEADER = CMSGHDR.size


def coerce_cmsg(value: Any) -> dict[str, Any]:
    """Return one control message with its three members.

    :raises UsageError: *value* is none
    """
    if isinstance(value, (tuple, list)) and len(value) == 3:
        value = dict(zip(("cmsg_level", "cmsg_type", "cmsg_data"), value, strict=True))
    if not isinstance(value, Mapping) or value.keys() != {"cmsg_level", "cmsg_type", "cmsg_data"}:
        raise UsageError(
            f"a control message is expected, not {value!r}",
            Written("write {SOL_SOCKET, SCM_RIGHTS, [fd, fd]}", "write (SOL_SOCKET, SCM_RIGHTS, [fd, fd])"),
        )
    CMSGHDR.coerce({name: value[name] for name in ("cmsg_level", "cmsg_type")})
    data = value["cmsg_data"]
    credentials = (value["cmsg_level"], value["cmsg_type"]) == (SOL_SOCKET, SCM_CREDENTIALS)
    if isinstance(data, Mapping) or (credentials and isinstance(data, (tuple, list))):
        data = UCRED.coerce(data)
    elif isinstance(data, (tuple, list)):
        data = ints("cmsg_data", data, "i")
    elif not isinstance(data, bytes):
        raise UsageError(f"cmsg_data is a string, an array of descriptors or a struct ucred, not {data!r}")
    return {"cmsg_level": value["cmsg_level"], "cmsg_type": value["cmsg_type"], "cmsg_data": data}


def pack_control(messages: tuple[Mapping[str, Any], ...], frame: Frame) -> bytes:
    """Return a control buffer (include/linux/socket.h: CMSG_ALIGN)."""
    parts = []
    for message in messages:
        data = message["cmsg_data"]
        if isinstance(data, Mapping):
            data = pack_struct(UCRED, data, frame)
        elif isinstance(data, tuple):
            data = pack_ints("i", data)
        head = CMSGHDR.pack({**message, "cmsg_len": HEADER + len(data)})
        parts.append(head + data + bytes(-len(data) & 7))
    return b"".join(parts)


def unpack_control(data: bytes) -> tuple[dict[str, Any], ...]:
    """Return the control messages in *data*; one that is cut off ends the list."""
    found = []
    while len(data) >= HEADER:
        head = CMSGHDR.unpack(data)
        length = head.pop("cmsg_len")
        if not HEADER <= length <= len(data):
            break
        body: Any = data[HEADER:length]
        if head["cmsg_level"] == 1 and head["cmsg_type"] == SCM_RIGHTS:
            body = unpack_ints("i", body)
        elif head["cmsg_level"] == 1 and head["cmsg_type"] == SCM_CREDENTIALS and len(body) == UCRED.size:
            body = UCRED.unpack(body)
        elif head["cmsg_level"] == 1 and head["cmsg_type"] in _STAMPS and len(body) == TIMEVAL.size:
            body = _STAMPS[head["cmsg_type"]].unpack(body)
        found.append({**head, "cmsg_data": body})
        data = data[length + 7 & ~7 :]
    return tuple(found)


def read_control(data: bytes, caller: Caller) -> tuple[dict[str, Any], ...] | bytes:
    """Return a program's control messages, as bytes where :func:`pack_control` would not make these of them."""
    found = unpack_control(data)
    if pack_control(found, Frame(0, len(data) + 64, {})) != data:
        return data
    name_senders({"msg_control": found}, caller.actors)
    return found


def show_cmsg(message: Mapping[str, Any]) -> str:
    """Write one control message as scripts do."""
    level, kind = message["cmsg_level"], message["cmsg_type"]
    name = c.SCM.format(kind) if level == 1 else str(kind)
    return f"{{{c.LEVEL.format(level)}, {name}, {format_value(message['cmsg_data'])}}}"


def name_senders(out: dict[str, Any], actors: Mapping[int, str]) -> None:
    """Replace process ids in received credentials by actors' names."""
    for message in out.get("msg_control", ()):
        if isinstance(message["cmsg_data"], dict) and "pid" in message["cmsg_data"]:
            UCRED.name_actors(message["cmsg_data"], actors)
