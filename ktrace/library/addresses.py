"""Socket addresses, written as in scripts: ``inet("127.0.0.1", 5000)``."""

from __future__ import annotations

from typing import Any

from ktrace.workload.environment import address


def unix(sun_path: str | bytes = b"") -> dict[str, Any]:
    """Return a ``struct sockaddr_un``.

    :param sun_path: a path, or an abstract name, which begins with a zero byte; empty: the kernel chooses one
    """
    path = sun_path.encode() if isinstance(sun_path, str) else sun_path
    return address("unix", [path] if path else [])


def inet(sin_addr: str, sin_port: int) -> dict[str, Any]:
    """Return a ``struct sockaddr_in``.

    :param sin_addr: in dotted decimal
    :param sin_port: in the host's byte order
    :raises UsageError: it is no address
    """
    return address("inet", [sin_addr, sin_port])


def inet6(sin6_addr: str, sin6_port: int) -> dict[str, Any]:
    """Return a ``struct sockaddr_in6``.

    :param sin6_addr: such as ``"::1"``
    :param sin6_port: in the host's byte order
    :raises UsageError: it is no address
    """
    return address("inet6", [sin6_addr, sin6_port])


def netlink(nl_pid: int, nl_groups: int = 0) -> dict[str, Any]:
    """Return a ``struct sockaddr_nl``.

    :param nl_pid: port id; *nl_groups* is a mask of multicast groups
    """
    return address("netlink", [nl_pid, nl_groups])


def packet(sll_protocol: int, sll_ifindex: int = 0) -> dict[str, Any]:
    """Return a ``struct sockaddr_ll``.

    :param sll_protocol: ETH_P_*, in the host's byte order
    :param sll_ifindex: number of the interface, 0 for any
    """
    return address("packet", [sll_protocol, sll_ifindex])
