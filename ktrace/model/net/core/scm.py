"""Control messages on their way in and out (``include/linux/socket.h``, ``net/core/scm.c``)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any

from ktrace.model.net.core.proto_ops import InMessage, OutMessage
from ktrace.model.task import Errno
from ktrace.state.call import COUNTED
from ktrace.uapi.socket import MSG_CTRUNC, SCM_CREDENTIALS, SIZEOF_CMSGHDR, SIZEOF_UCRED, SOL_SOCKET


def for_each_cmsghdr(msg: OutMessage) -> Iterator[Mapping[str, Any]]:
    """Yield the control messages of a call (``for_each_cmsghdr()``, ``CMSG_OK()``).

    :raises Errno: EINVAL for one whose length cannot be
    """
    if msg.control is None:
        return
    if isinstance(msg.control, bytes):
        yield from _parse(msg.control, len(msg.control) if msg.controllen is None else msg.controllen)
        return
    offset = 0
    for message in msg.control:
        length = SIZEOF_CMSGHDR + _length(message["cmsg_data"])
        if msg.controllen is not None and offset + SIZEOF_CMSGHDR > msg.controllen:
            return
        if msg.controllen is not None and offset + length > msg.controllen:
            raise Errno("EINVAL")
        yield message
        offset += length + 7 & ~7
    if msg.controllen is not None and offset + SIZEOF_CMSGHDR <= msg.controllen:
        raise Errno("EINVAL")  # zeros lie behind them


def _length(data: Any) -> int:
    if isinstance(data, Mapping):
        return SIZEOF_UCRED
    return 4 * len(data) if isinstance(data, tuple) else len(data)


def _parse(data: bytes, controllen: int) -> Iterator[Mapping[str, Any]]:
    data = data[:controllen].ljust(min(controllen, COUNTED), b"\0")
    offset = 0
    while offset + SIZEOF_CMSGHDR <= len(data):
        length, level, kind = struct.unpack_from("<Qii", data, offset)
        if not SIZEOF_CMSGHDR <= length <= len(data) - offset:
            raise Errno("EINVAL")
        body: Any = data[offset + SIZEOF_CMSGHDR : offset + length]
        if (level, kind) == (SOL_SOCKET, SCM_CREDENTIALS) and len(body) == SIZEOF_UCRED:
            body = dict(zip(("pid", "uid", "gid"), struct.unpack("<iII", body), strict=True))
        yield {"cmsg_level": level, "cmsg_type": kind, "cmsg_data": body}
        offset += length + 7 & ~7


def put_cmsg(msg: InMessage, level: int, kind: int, data: bytes) -> None:
    """Deliver one control message, cut off where there is no room (``put_cmsg()``)."""
    if msg.controllen is None or msg.controllen < SIZEOF_CMSGHDR:
        msg.flags |= MSG_CTRUNC
        return
    if msg.controllen < SIZEOF_CMSGHDR + len(data):
        msg.flags |= MSG_CTRUNC
    kept = data[: msg.controllen - SIZEOF_CMSGHDR]
    msg.control.append({"cmsg_level": level, "cmsg_type": kind, "cmsg_data": kept})
    space = SIZEOF_CMSGHDR + (len(data) + 7 & ~7)
    used = min(space, msg.controllen)
    msg.control_used += used
    msg.controllen -= used
