"""Options of SOL_SOCKET that say when packets came: SO_TIMESTAMP and its like (``net/core/sock.c``)."""

from __future__ import annotations

import struct
from typing import Any, NoReturn

from ktrace.model.net.core.sock import Sock
from ktrace.model.task import AsObserved, Errno, Task
from ktrace.uapi.socket import (
    SO_TIMESTAMP_NEW,
    SO_TIMESTAMP_OLD,
    SO_TIMESTAMPING_NEW,
    SO_TIMESTAMPING_OLD,
    SO_TIMESTAMPNS_NEW,
    SO_TIMESTAMPNS_OLD,
    SOCK_STREAM,
)

SIZEOF_SO_TIMESTAMPING = 8


def set_timestamp(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    """Have recvmsg() tell when a packet came (``sock_set_timestamp()``)."""
    sk.set_flag("SOCK_RCVTSTAMP", value != 0)
    sk.set_flag("SOCK_RCVTSTAMPNS", value != 0 and optname in (SO_TIMESTAMPNS_OLD, SO_TIMESTAMPNS_NEW))
    if value:
        sk.set_flag("SOCK_TSTAMP_NEW", optname in (SO_TIMESTAMP_NEW, SO_TIMESTAMPNS_NEW))
        sk.set_flag("SOCK_TIMESTAMP")
        if sk.family != "AF_UNIX":  # sock_needs_netstamp()
            task.kernel.net.stamping = True


def set_timestamping(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    """Take SO_TIMESTAMPING back, which nobody can have set (``sock_set_timestamping()``)."""
    if value:
        raise NotImplementedError(f"the model does not know the SOL_SOCKET option {optname}")
    sk.set_flag("SOCK_TSTAMP_NEW", optname == SO_TIMESTAMPING_NEW)


def get_timestamp(task: Task, sk: Sock, optname: int, room: int) -> bytes:
    """Tell whether the times are of this kind (``sk_getsockopt()``)."""
    stamp, nanoseconds, new = (sk.flag(f"SOCK_{name}") for name in ("RCVTSTAMP", "RCVTSTAMPNS", "TSTAMP_NEW"))
    values = {
        SO_TIMESTAMP_OLD: stamp and not new and not nanoseconds,
        SO_TIMESTAMPNS_OLD: nanoseconds and not new,
        SO_TIMESTAMP_NEW: stamp and new,
        SO_TIMESTAMPNS_NEW: nanoseconds and new,
    }
    return struct.pack("<I", values[optname])[:room]


def get_timestamping(task: Task, sk: Sock, optname: int, room: int) -> bytes:
    """Tell that nothing is stamped (``sk_getsockopt()``)."""
    return bytes(SIZEOF_SO_TIMESTAMPING)[:room]


def sock_gettstamp(task: Task, sk: Sock, arg: Any) -> NoReturn:
    """Have packets be stamped from now on, and tell when the last came (``sock_gettstamp()``).

    Without one there is ENOENT, before anybody looks where the time is to go. No stream of TCP ever has one.

    :raises Errno: ENOENT
    """
    sk.set_flag("SOCK_TIMESTAMP")
    task.kernel.net.stamping = True
    if sk.type == SOCK_STREAM:
        raise Errno("ENOENT")
    raise AsObserved("the time at which a socket's last packet came")


_TIMESTAMPS = (SO_TIMESTAMP_OLD, SO_TIMESTAMPNS_OLD, SO_TIMESTAMP_NEW, SO_TIMESTAMPNS_NEW)
_TIMESTAMPING = (SO_TIMESTAMPING_OLD, SO_TIMESTAMPING_NEW)
SETTERS = dict.fromkeys(_TIMESTAMPS, set_timestamp) | dict.fromkeys(_TIMESTAMPING, set_timestamping)
GETTERS = dict.fromkeys(_TIMESTAMPS, get_timestamp) | dict.fromkeys(_TIMESTAMPING, get_timestamping)
