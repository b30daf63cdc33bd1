"""Options of SOL_SOCKET that say when and which way packets leave (``net/core/sock.c``): pacing, SO_TXTIME.

Where an option would change what the model says about later calls, setting it is refused by name instead.
"""

from __future__ import annotations

import struct

from ktrace.include.linux.types import SIZEOF_LONG
from ktrace.model.net.core.sock import Sock
from ktrace.model.task import Errno, Task
from ktrace.uapi.limits import UINT_MAX, ULONG_MAX
from ktrace.uapi.socket import SO_CNX_ADVICE, SO_MAX_PACING_RATE, SO_TXREHASH, SO_TXTIME, SOCK_TXREHASH_ENABLED
from ktrace.uapi.time import CLOCK_MONOTONIC

TXTIME_FLAGS = 3


def set_pacing_rate(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    """Limit the bytes a second, by an int or a long (SO_MAX_PACING_RATE in ``sk_setsockopt()``)."""
    rate = struct.unpack_from("<Q", data)[0] if len(data) >= SIZEOF_LONG else value & UINT_MAX
    rate = ULONG_MAX if rate == UINT_MAX and len(data) < SIZEOF_LONG else rate
    if rate != ULONG_MAX and sk.prot in ("tcp_prot", "tcpv6_prot"):
        raise NotImplementedError(f"the model does not know the SOL_SOCKET option {optname}")
    sk.max_pacing_rate = rate


def get_pacing_rate(task: Task, sk: Sock, optname: int, room: int) -> bytes:
    """Tell the limit, as much of it as an int holds where there is no room for a long."""
    rate = sk.max_pacing_rate
    return struct.pack("<Q", rate) if room >= SIZEOF_LONG else struct.pack("<I", min(rate, UINT_MAX))[:room]


def set_txtime(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    """Let packets say when they are to leave (``struct sock_txtime``)."""
    if len(data) != SIZEOF_LONG:
        raise Errno("EINVAL")
    clock, flags = struct.unpack("<iI", data)
    if flags & ~TXTIME_FLAGS:
        raise Errno("EINVAL")
    if clock != CLOCK_MONOTONIC and not task.cred.capable("CAP_NET_ADMIN"):
        raise Errno("EPERM")
    sk.set_flag("SOCK_TXTIME")
    sk.txtime = data


def get_txtime(task: Task, sk: Sock, optname: int, room: int) -> bytes:
    """Tell the ``struct sock_txtime``."""
    return sk.txtime[:room]


def set_txrehash(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    """Say whether a connection that stalls may take another way (SO_TXREHASH in ``sk_setsockopt()``)."""
    _only_tcp(task, sk)
    if not -1 <= value <= 1:
        raise Errno("EINVAL")
    sk.txrehash = SOCK_TXREHASH_ENABLED if value < 0 else value


def get_txrehash(task: Task, sk: Sock, optname: int, room: int) -> bytes:
    """Tell whether it may; the internet's socks may unless somebody said otherwise."""
    _only_tcp(task, sk)
    default = SOCK_TXREHASH_ENABLED if sk.family in ("AF_INET", "AF_INET6") else 0
    return struct.pack("<I", default if sk.txrehash is None else sk.txrehash)[:room]


def _only_tcp(task: Task, sk: Sock) -> None:
    """Refuse SO_TXREHASH to others where a kernel does.

    :raises Errno: EOPNOTSUPP
    """
    if task.kernel.changes.txrehash_tcp_only and sk.prot not in ("tcp_prot", "tcpv6_prot"):
        raise Errno("EOPNOTSUPP")


def set_cnx_advice(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    """Take advice that changes nothing on a machine with one way out (``dst_negative_advice()``)."""


SETTERS = {
    SO_MAX_PACING_RATE: set_pacing_rate,
    SO_TXTIME: set_txtime,
    SO_TXREHASH: set_txrehash,
    SO_CNX_ADVICE: set_cnx_advice,
}
GETTERS = {SO_MAX_PACING_RATE: get_pacing_rate, SO_TXTIME: get_txtime, SO_TXREHASH: get_txrehash}
