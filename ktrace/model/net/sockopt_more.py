"""Options of SOL_SOCKET that hardly anybody sets: timestamps, filters, busy polling (``net/core/sock.c``).

Where an option would change what the model says about later calls, setting it is refused by name instead.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from ktrace.include.linux.limits import U16_MAX
from ktrace.include.linux.types import SIZEOF_INT, SIZEOF_LONG
from ktrace.model.net.core.sock import Sock
from ktrace.model.net.socket import Sockets
from ktrace.model.task import Errno, Task
from ktrace.state.rule import Rule
from ktrace.uapi.filter import SIZEOF_SOCK_FPROG, SKF_AD_MAX
from ktrace.uapi.limits import UINT_MAX, ULONG_MAX
from ktrace.uapi.socket import (
    SO_ATTACH_BPF,
    SO_ATTACH_FILTER,
    SO_ATTACH_REUSEPORT_CBPF,
    SO_ATTACH_REUSEPORT_EBPF,
    SO_BPF_EXTENSIONS,
    SO_BUSY_POLL,
    SO_BUSY_POLL_BUDGET,
    SO_CNX_ADVICE,
    SO_COOKIE,
    SO_DETACH_FILTER,
    SO_DETACH_REUSEPORT_BPF,
    SO_INCOMING_CPU,
    SO_INCOMING_NAPI_ID,
    SO_LOCK_FILTER,
    SO_MAX_PACING_RATE,
    SO_MEMINFO,
    SO_NETNS_COOKIE,
    SO_PEERGROUPS,
    SO_PREFER_BUSY_POLL,
    SO_RESERVE_MEM,
    SO_TIMESTAMP_NEW,
    SO_TIMESTAMP_OLD,
    SO_TIMESTAMPING_NEW,
    SO_TIMESTAMPING_OLD,
    SO_TIMESTAMPNS_NEW,
    SO_TIMESTAMPNS_OLD,
    SO_TXREHASH,
    SO_TXTIME,
    SOCK_TXREHASH_ENABLED,
)
from ktrace.uapi.time import CLOCK_MONOTONIC

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

INCOMING = Rule("include/net/sock.h", "sk_incoming_cpu_update", "once a packet came in")
COOKIE = Rule("include/linux/cookie.h", "gen_cookie_next", "any number that none has")
MEMINFO = Rule("net/core/sock.c", "sk_get_meminfo", "what is set aside")
TXTIME_FLAGS = 3

TIMESTAMPS = (SO_TIMESTAMP_OLD, SO_TIMESTAMPNS_OLD, SO_TIMESTAMP_NEW, SO_TIMESTAMPNS_NEW)
STAMPING = (SO_TIMESTAMPING_OLD, SO_TIMESTAMPING_NEW)
PROGRAMS = (SO_ATTACH_FILTER, SO_ATTACH_BPF, SO_ATTACH_REUSEPORT_CBPF, SO_ATTACH_REUSEPORT_EBPF)
WITHOUT_EFFECT = (SO_CNX_ADVICE,)
BUSY = {SO_BUSY_POLL: (1 << 31) - 1, SO_PREFER_BUSY_POLL: 1, SO_BUSY_POLL_BUDGET: U16_MAX}
"""Options of busy polling, by the largest value."""


def set_more(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
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
        rate = struct.unpack_from("<Q", data)[0] if len(data) >= SIZEOF_LONG else value & UINT_MAX
        rate = ULONG_MAX if rate == UINT_MAX and len(data) < SIZEOF_LONG else rate
        _must_be(rate == ULONG_MAX or sk.prot not in ("tcp_prot", "tcpv6_prot"), optname)
        sk.max_pacing_rate = rate
    elif optname == SO_RESERVE_MEM:
        # sock_reserve_memory() without memory cgroups
        raise Errno("EINVAL" if value < 0 else "EOPNOTSUPP")
    elif optname == SO_TXREHASH:
        if not -1 <= value <= 1:
            raise Errno("EINVAL")
        sk.txrehash = SOCK_TXREHASH_ENABLED if value < 0 else value
    elif optname == SO_INCOMING_CPU:
        sk.incoming_cpu = value
    elif optname == SO_TXTIME:
        _set_txtime(task, sk, data)
    elif optname in PROGRAMS:
        _attach(sk, optname, data)
    elif optname not in WITHOUT_EFFECT:
        raise Errno("ENOPROTOOPT")


def _set_txtime(task: Task, sk: Sock, data: bytes) -> None:
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


def _attach(sk: Sock, optname: int, data: bytes) -> None:
    """Refuse programs that are none, and those of a kernel without bpf() (``sk_attach_bpf()``)."""
    if optname in (SO_ATTACH_BPF, SO_ATTACH_REUSEPORT_EBPF):
        if len(data) != SIZEOF_INT:
            raise Errno("EINVAL")
        raise Errno("EPERM" if sk.flag("SOCK_FILTER_LOCKED") else "EOPNOTSUPP")
    if len(data) != SIZEOF_SOCK_FPROG:
        raise Errno("EINVAL")
    raise NotImplementedError(f"the model does not know packet filters (SOL_SOCKET option {optname})")


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


def get_more(task: Task, sk: Sock, optname: int, room: int) -> bytes:
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
    if optname in STAMPING:
        return bytes(8)[:room]
    if optname == SO_TXTIME:
        return sk.txtime[:room]
    if optname == SO_MAX_PACING_RATE:
        rate = sk.max_pacing_rate
        return struct.pack("<Q", rate) if room >= SIZEOF_LONG else struct.pack("<I", min(rate, UINT_MAX))[:room]
    if optname == SO_PEERGROUPS:
        return _peer_groups(sk, room)
    if optname in (SO_COOKIE, SO_NETNS_COOKIE):
        return _cookie(task, sk, optname, room)
    if optname == SO_MEMINFO:
        return _meminfo(task, sk, room)
    if optname == SO_INCOMING_CPU:
        # The lab has one CPU: 0 as soon as a packet came in (sk_incoming_cpu_update()), -1 before.
        cpu = sk.incoming_cpu

        def find(seen: Observed) -> int | None:
            value = seen.out(task, "optval")
            return int.from_bytes(value, "little", signed=True) if isinstance(value, bytes) else value

        found = task.kernel.choose(INCOMING, find, lambda at: at in (cpu, 0), cpu)
        return struct.pack("<i", found)[:room]
    if optname == SO_TXREHASH:
        default = SOCK_TXREHASH_ENABLED if sk.family in ("AF_INET", "AF_INET6") else 0
        return struct.pack("<I", default if sk.txrehash is None else sk.txrehash)[:room]
    raise Errno("ENOPROTOOPT")


def _peer_groups(sk: Sock, room: int) -> bytes:
    if sk.peer_cred is None:
        raise Errno("ENODATA")
    data = struct.pack(f"<{len(sk.peer_groups)}I", *sk.peer_groups)
    if room < len(data):
        raise Errno("ERANGE")
    return data


def _cookie(task: Task, sk: Sock, optname: int, room: int) -> bytes:
    """Return a number that stays the same: the sock's, or its network namespace's (``__sock_gen_cookie()``)."""
    kernel = task.kernel
    if room < SIZEOF_LONG or (optname == SO_NETNS_COOKIE and room != SIZEOF_LONG):
        raise Errno("EINVAL")
    owner: Sock | Sockets = sk if optname == SO_COOKIE else kernel.net
    if owner.cookie is None:
        owner.cookie = kernel.choose(
            COOKIE, lambda seen: seen.out(task, "optval"), lambda data: len(data) == SIZEOF_LONG and any(data), bytes(8)
        )
    return bytes(owner.cookie or b"")[:room]


def _meminfo(task: Task, sk: Sock, room: int) -> bytes:
    """Return bytes queued and allowed, as far as they are determined (``sk_get_meminfo()``)."""
    known = {0: sk.rmem_alloc, 2: sk.wmem_get()} if sk.accounted else {}
    if sk.family == "AF_UNIX":
        known |= {1: sk.rcvbuf, 3: sk.sndbuf, 4: 0, 5: 0, 6: 0, 7: 0, 8: 0}
    otherwise = struct.pack("<9I", *[known.get(index, 0) for index in range(9)])[:room]

    def fits(data: Any) -> bool:
        if not isinstance(data, bytes) or len(data) != len(otherwise):
            return False
        values = struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])
        return all(value == known.get(index, value) for index, value in enumerate(values))

    return bytes(task.kernel.choose(MEMINFO, lambda seen: seen.out(task, "optval"), fits, otherwise))
