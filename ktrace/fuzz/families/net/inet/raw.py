"""Raw and ping sockets of both internet families, with UDP whose packets they see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.agent.syscalls import make_call
from ktrace.fuzz.chance import Chance, pattern
from ktrace.fuzz.families.fs.files import may_block, pick_fd
from ktrace.fuzz.families.fs.watchers import watching
from ktrace.fuzz.families.net.inet.inet import InetFamily
from ktrace.fuzz.families.net.socket import is_socket, is_talking, sock_of
from ktrace.fuzz.family import Scenario
from ktrace.fuzz.model_view import ModelView
from ktrace.model.net.core.sock import Sock
from ktrace.model.net.inet.sock import Inet
from ktrace.model.task import Task
from ktrace.state.call import Call

_KINDS = (
    ("AF_INET", "SOCK_RAW", 253), ("AF_INET", "SOCK_RAW", 253), ("AF_INET", "SOCK_RAW", 1), ("AF_INET", "SOCK_RAW", 17),
    ("AF_INET", "SOCK_RAW", 255), ("AF_INET", "SOCK_DGRAM", 1), ("AF_INET", "SOCK_DGRAM", 0),
    ("AF_INET6", "SOCK_RAW", 253), ("AF_INET6", "SOCK_RAW", 58), ("AF_INET6", "SOCK_RAW", 17),
    ("AF_INET6", "SOCK_DGRAM", 58), ("AF_INET6", "SOCK_DGRAM", 0),
)  # fmt: skip
_OPTIONS = (
    ("SOL_IP", "IP_HDRINCL", (0, 1)), ("SOL_IP", "IP_TTL", (1, 64, 255, 256)), ("SOL_IP", "IP_TOS", (0, 8, 0x10, 0xFF)),
    ("SOL_IP", "IP_MTU_DISCOVER", (0, 1, 2, 3, 6)), ("SOL_RAW", "ICMP_FILTER", (0, 1, 0x100, 8, -1)),
    ("SOL_IPV6", "IPV6_UNICAST_HOPS", (-1, 3, 300)), ("SOL_IPV6", "IPV6_TCLASS", (0, 4, 255)),
    ("SOL_IPV6", "IPV6_RECVHOPLIMIT", (0, 1)), ("SOL_IPV6", "IPV6_RECVPKTINFO", (0, 1)),
    ("SOL_IPV6", "IPV6_CHECKSUM", (-1, 0, 2, 3, 6, 5000)), ("SOL_RAW", "IPV6_CHECKSUM", (-1, 0, 2)),
    ("SOL_ICMPV6", "ICMPV6_FILTER", (0, 1, -1, b"\xff" * 32, bytes(31) + b"\xff", bytes(40))),
)  # fmt: skip


class RawFamily(InetFamily):
    """``raw.c``, ``ping.c``, ``icmp.c`` below ``net/ipv4/`` and ``net/ipv6/``."""

    name = "raw"
    types = (C["SOCK_RAW"], C["SOCK_DGRAM"], C["SOCK_DGRAM"])

    def __init__(self, choose: Chance) -> None:
        self._kinds = choose.some(_KINDS, 2)
        super().__init__(choose)

    def limits(self, choose: Chance) -> Iterator[Call]:
        """Let groups ping, mostly all of them."""
        low, high = choose.one(((0, 65535), (0, 65535), (0, 0), (1, 0), (1000, 1000)))
        yield make_call("sysctl", "net/ipv4/ping_group_range", f"{low} {high}")

    def prepare(self, state: ModelView, choose: Chance, task: Task) -> Iterator[Call]:
        """Open some sockets."""
        for _ in range(choose.integer(0, 3)):
            yield self._new(choose)

    def scenarios(self) -> Sequence[tuple[float, Scenario]]:
        """Return what takes several actions: watching with poll and epoll."""
        return [(1, watching(is_socket, lambda state, choose, file: None))]

    def _new(self, choose: Chance) -> Call:
        family, kind, protocol = choose.one(self._kinds)
        flags = choose.flags(0.3, C["SOCK_NONBLOCK"])
        return make_call("socket", C[family], C[kind] | flags, protocol)

    def _socket(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        return None if self.enough(choose, task) else self._new(choose)

    def address(self, state: ModelView, choose: Chance, task: Task) -> dict[str, Any]:
        """Return an address without a port, mostly: with one for UDP."""
        host = choose.one(("127.0.0.1", "127.0.0.1", "127.0.0.2", "0.0.0.0", "10.0.0.1"))
        return {"sa_family": C["AF_INET"], "sin_port": choose.one((0, 0, 7, 253, 5000)), "sin_addr": host}

    def option(self, choose: Chance) -> tuple[int, int, Any]:
        """Return an option of raw sockets."""
        level, name, values = choose.one(_OPTIONS)
        return C[level], C[name], choose.one(values)

    def _send(self, state: ModelView, choose: Chance, task: Task) -> Call | None:
        fd = pick_fd(choose, task, is_talking)
        if fd is None:
            return None
        data = self._payload(choose, sock_of(task, fd), pattern(state.number, self.size(choose)))
        flags = 0 if may_block(state, choose, 0.4) else C["MSG_DONTWAIT"]
        address = self.address_for(state, choose, task, fd) if choose.chance(0.7) else None
        return make_call("sendto", fd, data, flags=flags | choose.flags(0.03, C["MSG_OOB"]), dest_addr=address)

    def _payload(self, choose: Chance, sk: Sock | None, data: bytes) -> bytes:
        """Return an echo for who speaks ICMP, a header for who makes it by hand."""
        if not isinstance(sk, Inet) or choose.chance(0.1):
            return data
        echo = bytes([choose.one((8, 8, 0, 15)) if sk.protocol == 1 else choose.one((128, 128, 129, 200)), 0])
        if sk.protocol in (1, 58):
            number = choose.one((0, 1, 2, 7))
            # A checksum that is right for an echo without data
            total = (8 << 8) + number + 1
            data = echo + (0xFFFF - total).to_bytes(2, "big") + number.to_bytes(2, "big") + b"\0\1" + data
        if "hdrincl" in sk.bits and sk.family == "AF_INET":
            ident = choose.one((b"\0\0", b"\x12\x34"))
            df = choose.one((b"\0\0", b"\x40\0"))
            protocol = choose.one((253, 254, 255, 1 if sk.protocol == 1 else 253))
            head = (
                b"\x45" + bytes([choose.one((0, 16))]) + bytes(2) + ident + df + bytes([choose.one((1, 64)), protocol])
            )
            return head + bytes(2) + choose.one((bytes(4), b"\x7f\0\0\2")) + b"\x7f\0\0\1" + data
        return data
