"""Options of SOL_SOCKET that hardly anybody sets: timestamps, filters, busy polling (``net/core/sock.c``).

Where an option would change what the model says about later calls, setting it is refused by name instead.
"""

from __future__ import annotations

import struct
from typing import Any

from ktrace.model.sock import Sock
from ktrace.model.task import Errno, Task

UINT_MAX, U16_MAX = (1 << 32) - 1, (1 << 16) - 1
SO_ATTACH_FILTER, SO_DETACH_FILTER, SO_LOCK_FILTER = 26, 27, 44
SO_TIMESTAMP_OLD, SO_TIMESTAMPNS_OLD, SO_TIMESTAMPING_OLD = 29, 35, 37
SO_TIMESTAMP_NEW, SO_TIMESTAMPNS_NEW, SO_TIMESTAMPING_NEW = 63, 64, 65
SO_BUSY_POLL, SO_MAX_PACING_RATE, SO_BPF_EXTENSIONS, SO_INCOMING_CPU, SO_ATTACH_BPF = range(46, 51)
SO_ATTACH_REUSEPORT_CBPF, SO_ATTACH_REUSEPORT_EBPF, SO_CNX_ADVICE = 51, 52, 53
SO_MEMINFO, SO_INCOMING_NAPI_ID, SO_COOKIE, SO_PEERGROUPS, SO_TXTIME = 55, 56, 57, 59, 61
SO_DETACH_REUSEPORT_BPF, SO_PREFER_BUSY_POLL, SO_BUSY_POLL_BUDGET, SO_NETNS_COOKIE = 68, 69, 70, 71
SO_RESERVE_MEM, SO_TXREHASH = 73, 74
SKF_AD_MAX = 64
"""``bpf_tell_extensions()``."""

TIMESTAMPS = (SO_TIMESTAMP_OLD, SO_TIMESTAMPNS_OLD, SO_TIMESTAMP_NEW, SO_TIMESTAMPNS_NEW)
STAMPING = (SO_TIMESTAMPING_OLD, SO_TIMESTAMPING_NEW)
NOT_SET = (SO_ATTACH_FILTER, SO_ATTACH_BPF, SO_ATTACH_REUSEPORT_CBPF, SO_ATTACH_REUSEPORT_EBPF, SO_TXTIME)
WITHOUT_EFFECT = (SO_INCOMING_CPU, SO_CNX_ADVICE)
BUSY = {SO_BUSY_POLL: (1 << 31) - 1, SO_PREFER_BUSY_POLL: 1, SO_BUSY_POLL_BUDGET: U16_MAX}
"""Options of busy polling, by the largest value."""


def set_more(task: Task, sk: Sock, optname: int, value: int) -> None:
    """Set one option.

    :raises Errno: ENOPROTOOPT, EPERM, EINVAL, ENOENT
    """
    if optname in TIMESTAMPS:
        sk.set_flag("SOCK_RCVTSTAMP", value != 0)
        sk.set_flag("SOCK_RCVTSTAMPNS", value != 0 and optname in (SO_TIMESTAMPNS_OLD, SO_TIMESTAMPNS_NEW))
        if value:
            sk.set_flag("SOCK_TSTAMP_NEW", optname in (SO_TIMESTAMP_NEW, SO_TIMESTAMPNS_NEW))
            sk.set_flag("SOCK_TIMESTAMP")
    elif optname in STAMPING:
        _must_be(not value, optname)
        sk.set_flag("SOCK_TSTAMP_NEW", optname == SO_TIMESTAMPING_NEW)
    elif optname == SO_LOCK_FILTER:
        if sk.flag("SOCK_FILTER_LOCKED") and not value:
            raise Errno("EPERM")
        sk.set_flag("SOCK_FILTER_LOCKED", value != 0)
    elif optname == SO_DETACH_FILTER:
        raise Errno("EPERM" if sk.flag("SOCK_FILTER_LOCKED") else "ENOENT")
    elif optname == SO_DETACH_REUSEPORT_BPF:
        raise Errno("ENOENT" if sk.reuseport else "EINVAL")
    elif optname in BUSY:
        _set_busy(task, sk, optname, value)
    elif optname == SO_MAX_PACING_RATE:
        _must_be(value & UINT_MAX == UINT_MAX, optname)
    elif optname == SO_RESERVE_MEM:
        if value < 0:
            raise Errno("EINVAL")
        _must_be(False, optname)
    elif optname == SO_TXREHASH:
        if not -1 <= value <= 1:
            raise Errno("EINVAL")
    elif optname not in WITHOUT_EFFECT:
        _must_be(optname not in NOT_SET, optname)
        raise Errno("ENOPROTOOPT")


def _must_be(known: bool, optname: int) -> None:
    if not known:
        raise NotImplementedError(f"the model does not know the SOL_SOCKET option {optname}")


def _set_busy(task: Task, sk: Sock, optname: int, value: int) -> None:
    if optname == SO_PREFER_BUSY_POLL:
        value = int(value != 0)
    if value > sk.busy.get(optname, 0) and not task.cred.capable("CAP_NET_ADMIN"):
        raise Errno("EPERM")
    if not 0 <= value <= BUSY[optname]:
        raise Errno("EINVAL")
    sk.busy[optname] = value


def get_more(sk: Sock, optname: int, room: int) -> bytes:
    """Return one option.

    :raises Errno: ENOPROTOOPT, EINVAL, ENODATA
    """
    new, stamp, nanoseconds = (sk.flag(f"SOCK_{name}") for name in ("TSTAMP_NEW", "RCVTSTAMP", "RCVTSTAMPNS"))
    values: dict[int, Any] = {
        SO_TIMESTAMP_OLD: stamp and not new and not nanoseconds,
        SO_TIMESTAMPNS_OLD: nanoseconds and not new,
        SO_TIMESTAMP_NEW: stamp and new,
        SO_TIMESTAMPNS_NEW: nanoseconds and new,
        SO_LOCK_FILTER: sk.flag("SOCK_FILTER_LOCKED"),
        SO_BPF_EXTENSIONS: SKF_AD_MAX,
        SO_BUSY_POLL: sk.busy.get(SO_BUSY_POLL, 0),
        SO_PREFER_BUSY_POLL: sk.busy.get(SO_PREFER_BUSY_POLL, 0),
        SO_RESERVE_MEM: 0,
        SO_INCOMING_NAPI_ID: 0,
    }
    if optname in values:
        return struct.pack("<I", int(values[optname]))[:room]
    if optname == SO_ATTACH_FILTER:  # SO_GET_FILTER has the same number
        return b""
    if optname in (*STAMPING, SO_TXTIME):
        return bytes(8)[:room]
    if optname == SO_MAX_PACING_RATE:
        return (b"\xff" * (8 if room >= 8 else 4))[:room]
    if optname == SO_PEERGROUPS and sk.peer_cred is None:
        raise Errno("ENODATA")
    if (optname == SO_COOKIE and room < 8) or (optname == SO_NETNS_COOKIE and room != 8):
        raise Errno("EINVAL")
    _must_be(
        optname not in (SO_PEERGROUPS, SO_COOKIE, SO_NETNS_COOKIE, SO_MEMINFO, SO_INCOMING_CPU, SO_TXREHASH), optname
    )
    raise Errno("ENOPROTOOPT")
