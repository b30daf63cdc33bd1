"""Options of SOL_SOCKET about memory: SO_MEMINFO, SO_RESERVE_MEM (``net/core/sock.c``)."""

from __future__ import annotations

import struct
from typing import Any

from ktrace.include.asm.page_types import PAGE_SIZE
from ktrace.model.net.core.sock import Sock
from ktrace.model.net.inet.tcp.meminfo import tcp_fits
from ktrace.model.net.inet.tcp.sock import Tcp
from ktrace.model.net.inet.udp.udp import Udp
from ktrace.model.task import Errno, Task
from ktrace.state.rule import Rule
from ktrace.uapi.socket import SO_MEMINFO, SO_RESERVE_MEM

MEMBERS = ("rmem_alloc", "rcvbuf", "wmem_alloc", "sndbuf", "fwd_alloc", "wmem_queued", "optmem", "backlog", "drops")
"""``include/uapi/linux/sock_diag.h``: SK_MEMINFO_*, in their order."""
MEMINFO = Rule("net/core/sock.c", "sk_get_meminfo", "what is set aside")


def set_reserve_mem(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    """Set nothing aside without memory cgroups (``sock_reserve_memory()``)."""
    raise Errno("EINVAL" if value < 0 else "EOPNOTSUPP")


def get_reserve_mem(task: Task, sk: Sock, optname: int, room: int) -> bytes:
    """Tell that nothing is set aside."""
    return bytes(4)[:room]


def get_meminfo(task: Task, sk: Sock, optname: int, room: int) -> bytes:
    """Tell bytes queued and allowed, as far as they are determined (``sk_get_meminfo()``)."""
    # A packet of TCP has left its sender at the loopback device (skb_orphan()), and nobody has the sock locked.
    known = {0: sk.rmem_alloc, 2: sk.wmem_get(), 1: sk.rcvbuf, 3: sk.sndbuf} if sk.accounted else {2: 0, 7: 0}
    if sk.family == "AF_UNIX":
        known |= {1: sk.rcvbuf, 3: sk.sndbuf, 4: 0, 5: 0, 6: 0, 7: 0, 8: 0}
    elif isinstance(sk, Tcp):
        sk.settle_buffers(task.kernel)
        known |= {1: sk.rcvbuf, 3: sk.sndbuf} if not sk.was_connected or sk.state != "TCP_CLOSE" else {}
    elif isinstance(sk, Udp):
        known |= {5: 0}
    otherwise = struct.pack("<9I", *[known.get(index, 0) for index in range(9)])[:room]

    def fits(data: Any) -> bool:
        if not isinstance(data, bytes) or len(data) != len(otherwise):
            return False
        values = struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])
        if len(values) == len(MEMBERS):
            if isinstance(sk, Tcp) and not tcp_fits(task.kernel, sk, values):
                return False
            if isinstance(sk, Udp) and (values[0] + values[4]) % PAGE_SIZE:
                return False  # udp_rmem_schedule(), udp_rmem_release(): pages, too
        return all(value == known.get(index, value) for index, value in enumerate(values))

    return bytes(task.kernel.choose(MEMINFO, lambda seen: seen.out(task, "optval"), fits, otherwise))


SETTERS = {SO_RESERVE_MEM: set_reserve_mem}
GETTERS = {SO_RESERVE_MEM: get_reserve_mem, SO_MEMINFO: get_meminfo}
