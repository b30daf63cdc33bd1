"""Options of SOL_SOCKET about receiving: busy polling, the CPU on which a packet came in (``net/core/sock.c``)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ktrace.include.linux.limits import U16_MAX
from ktrace.model.net.core.sock import Sock
from ktrace.model.task import Errno, Task
from ktrace.state.rule import Rule
from ktrace.uapi.limits import INT_MAX
from ktrace.uapi.socket import (
    SO_BUSY_POLL,
    SO_BUSY_POLL_BUDGET,
    SO_INCOMING_CPU,
    SO_INCOMING_NAPI_ID,
    SO_PREFER_BUSY_POLL,
    SOCK_DGRAM,
    SOCK_STREAM,
)

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

INCOMING = Rule("include/net/sock.h", "sk_incoming_cpu_update", "once a packet came in")
BUSY = {SO_BUSY_POLL: INT_MAX, SO_PREFER_BUSY_POLL: 1, SO_BUSY_POLL_BUDGET: U16_MAX}
"""Options of busy polling, by the largest value."""


def set_busy_poll(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    """Set how to poll a device; more than before is a privilege (``sk_setsockopt()``)."""
    if optname == SO_PREFER_BUSY_POLL:
        value = int(value != 0)
    free = 0 if optname == SO_PREFER_BUSY_POLL else sk.busy.get(optname, 0)
    forbidden = value > free and not task.cred.capable("CAP_NET_ADMIN")
    if forbidden and not (optname == SO_BUSY_POLL and task.kernel.changes.busy_poll_for_all):
        raise Errno("EPERM")
    if not 0 <= value <= BUSY[optname]:
        raise Errno("EINVAL")
    sk.busy[optname] = value


def get_busy_poll(task: Task, sk: Sock, optname: int, room: int) -> bytes:
    """Tell how a device is polled (``sk_getsockopt()``)."""
    return struct.pack("<I", sk.busy.get(optname, 0))[:room]


def get_napi_id(task: Task, sk: Sock, optname: int, room: int) -> bytes:
    """Tell of no device: none here has a NAPI context (``sk_getsockopt()``)."""
    return bytes(4)[:room]


def set_incoming_cpu(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    """Name the CPU that packets come in on (``reuseport_update_incoming_cpu()``)."""
    sk.incoming_cpu = value


def get_incoming_cpu(task: Task, sk: Sock, optname: int, room: int) -> bytes:
    """Tell the CPU of the last packet: the lab's only one as soon as there was one, -1 before.

    ``sk_incoming_cpu_update()``, which TCP and UDP alone call (``tcp_v4_rcv()``, ``__udp_queue_rcv_skb()``).
    """
    cpu = sk.incoming_cpu
    if sk.family not in ("AF_INET", "AF_INET6") or sk.type not in (SOCK_STREAM, SOCK_DGRAM):
        return struct.pack("<i", cpu)[:room]

    def find(seen: Observed) -> int | None:
        value = seen.out(task, "optval")
        return int.from_bytes(value, "little", signed=True) if isinstance(value, bytes) else value

    found = task.kernel.choose(INCOMING, find, lambda at: at in (cpu, 0), cpu)
    return struct.pack("<i", found)[:room]


SETTERS = {**dict.fromkeys(BUSY, set_busy_poll), SO_INCOMING_CPU: set_incoming_cpu}
GETTERS = {
    SO_BUSY_POLL: get_busy_poll,
    SO_PREFER_BUSY_POLL: get_busy_poll,
    SO_INCOMING_NAPI_ID: get_napi_id,
    SO_INCOMING_CPU: get_incoming_cpu,
}
