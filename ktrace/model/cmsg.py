"""Control messages that recvmsg() delivers (``net/core/scm.c: put_cmsg()``)."""

from __future__ import annotations

from ktrace.model.proto_ops import InMessage
from ktrace.model.sock import MSG_CTRUNC

SIZEOF_CMSGHDR = 16


def put_cmsg(msg: InMessage, level: int, kind: int, data: bytes) -> None:
    """Deliver one control message, cut off where there is no room."""
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
