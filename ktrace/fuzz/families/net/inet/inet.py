"""AF_INET and AF_INET6 sockets on the loopback: TCP in all its states, UDP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.fuzz.chance import Chance
from ktrace.fuzz.families.net.inet.scenarios import (
    address,
    alone,
    datagrams,
    fresh_port,
    large,
    ports,
    some_socket,
    stream,
)
from ktrace.fuzz.families.net.options import INET_OPTIONS, OPTIONS
from ktrace.fuzz.families.net.scenarios import crowd, options, signalled, spliced, talking
from ktrace.fuzz.families.net.socket import SocketFamily, sock_of
from ktrace.fuzz.family import Scenario
from ktrace.fuzz.model_view import ModelView
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


_OPTIONS6 = (
    ("SOL_IPV6", "IPV6_V6ONLY"),
    ("SOL_IPV6", "IPV6_UNICAST_HOPS"),
    ("SOL_IPV6", "IPV6_TCLASS"),
    ("SOL_IPV6", "IPV6_RECVPKTINFO"),
    ("SOL_IPV6", "IPV6_RECVHOPLIMIT"),
    ("SOL_IPV6", "IPV6_FREEBIND"),
    ("SOL_IPV6", "IPV6_ADDRFORM"),
)
_HOSTS6 = {"127.0.0.1": ("::1", "::1", "::ffff:127.0.0.1"), "0.0.0.0": ("::", "::", "::ffff:0.0.0.0")}


def _somewhere(state: ModelView, choose: Chance) -> dict[str, Any]:
    return address(C["AF_INET"], fresh_port(state))


class InetFamily(SocketFamily):
    """``net/ipv4/`` and ``net/ipv6/``."""

    name = "inet"
    domain = C["AF_INET"]
    types = (C["SOCK_STREAM"], C["SOCK_STREAM"], C["SOCK_DGRAM"])
    scenario_share = 0.4

    def __init__(self, choose: Chance) -> None:
        self._share6 = choose.one((0.0, 0.0, 0.5, 1.0))
        super().__init__(choose)

    def new_domain(self, choose: Chance) -> int:
        """Return one of the two families."""
        return C["AF_INET6"] if choose.chance(self._share6) else self.domain

    def scenarios(self) -> Sequence[tuple[float, Scenario]]:
        """Return what takes several actions."""
        domain = self.new_domain
        return [
            *super().scenarios(),
            (5, talking(stream(domain), (1, 5, 100, 1000), urgent=True)),
            (3, crowd(self.domain, (C["SOCK_STREAM"],), _somewhere)),
            (1.5, spliced(stream(domain))),
            (1.5, signalled(stream(domain), (1, 5, 100))),
            (6, options(OPTIONS + INET_OPTIONS, (some_socket(domain), stream(domain)))),
            (3, alone(domain)),
            (2, ports(domain)),
            (4, datagrams(domain)),
            (1, large(domain)),
        ]

    def fit(self, choose: Chance, task: Task, fd: int, address: dict[str, Any]) -> dict[str, Any]:
        """Return an IPv6 address for an AF_INET6 socket, mostly."""
        sk = sock_of(task, fd)
        if sk is None or sk.family != "AF_INET6" or choose.chance(0.05):
            return address
        host = choose.one(_HOSTS6.get(address["sin_addr"], ("2001:db8::1", "::ffff:10.0.0.1", "fe80::1")))
        return {
            "sa_family": C["AF_INET6"],
            "sin6_port": address["sin_port"],
            "sin6_flowinfo": 0,
            "sin6_addr": host,
            "sin6_scope_id": 0,
        }

    def address(self, state: ModelView, choose: Chance, task: Task) -> dict[str, Any]:
        """Return a port of the loopback, or something odd."""
        host, port = "127.0.0.1", choose.one(PORTS)
        if choose.chance(0.1):
            host = choose.one(("0.0.0.0", "127.0.0.2", "10.0.0.1"))
        if choose.chance(0.05):
            port = choose.one((0, 80, 65535))
        return {"sa_family": C["AF_INET"], "sin_port": port, "sin_addr": host}

    def option(self, choose: Chance) -> tuple[int, int, Any]:
        """Return an option of TCP, IP or IPv6."""
        level, name = choose.one(_OPTIONS6 if choose.chance(self._share6 / 2) else _OPTIONS)
        return C[level], C[name], choose.one((0, 1, 1, 5, 64, 256, -1))
