"""AF_INET sockets on the loopback: TCP in all its states, UDP."""

from __future__ import annotations

from typing import Any

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.fuzz.choose import Choose
from ktrace.fuzz.sockets import SocketFamily
from ktrace.fuzz.state import State
from ktrace.model.task import Task

PORTS = (5000, 5001, 5002)
_OPTIONS = (
    ("SOL_TCP", "TCP_NODELAY"),
    ("SOL_TCP", "TCP_KEEPCNT"),
    ("SOL_IP", "IP_TTL"),
    ("SOL_IP", "IP_TOS"),
    ("SOL_IP", "IP_FREEBIND"),
    ("SOL_IP", "IP_RECVERR"),
)


class InetFamily(SocketFamily):
    """``net/ipv4/``."""

    name = "inet"
    domain = C["AF_INET"]
    types = (C["SOCK_STREAM"], C["SOCK_STREAM"], C["SOCK_DGRAM"])

    def address(self, state: State, choose: Choose, task: Task) -> dict[str, Any]:
        """Return a port of the loopback, or something odd."""
        host, port = "127.0.0.1", choose.one(PORTS)
        if choose.chance(0.1):
            host = choose.one(("0.0.0.0", "127.0.0.2", "10.0.0.1"))
        if choose.chance(0.05):
            port = choose.one((0, 80, 65535))
        return {"sa_family": C["AF_INET"], "sin_port": port, "sin_addr": host}

    def option(self, choose: Choose) -> tuple[int, int, Any]:
        """Return an option of TCP or IP."""
        level, name = choose.one(_OPTIONS)
        return C[level], C[name], choose.one((0, 1, 1, 5, 64, 256, -1))
