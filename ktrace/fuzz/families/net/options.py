"""Options of sockets with values that are usual, at a limit, or beyond it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.uapi.socket import SOL_SOCKET

Pool = tuple[tuple[int, int, Sequence[Any]], ...]
"""Level, name and values."""

_SWITCH = (0, 1, 1, 2, -1)


def _socket(name: str, *values: Any) -> tuple[int, int, Sequence[Any]]:
    return SOL_SOCKET, C[name], values


def _time(seconds: int, microseconds: int) -> dict[str, int]:
    return {"tv_sec": seconds, "tv_usec": microseconds}


OPTIONS: Pool = (
    *[_socket(name, *_SWITCH) for name in ("SO_REUSEADDR", "SO_REUSEPORT", "SO_KEEPALIVE", "SO_OOBINLINE")],
    *[_socket(name, *_SWITCH) for name in ("SO_BROADCAST", "SO_DONTROUTE", "SO_NO_CHECK", "SO_PASSCRED", "SO_DEBUG")],
    *[_socket(name, *_SWITCH) for name in ("SO_RXQ_OVFL", "SO_ZEROCOPY", "SO_BSDCOMPAT", "SO_PASSSEC")],
    _socket("SO_PRIORITY", 0, 3, 6, 7, -1),
    _socket("SO_MARK", 0, 1, 5),
    _socket("SO_PEEK_OFF", 0, 3, -1),
    _socket("SO_RCVLOWAT", 0, 1, 100, 100000, -1),
    _socket("SO_SNDBUF", 0, 1, 2304, 5000, 100000, 1000000, -1),
    _socket("SO_RCVBUF", 0, 1, 1152, 5000, 100000, 1000000, -1),
    _socket("SO_SNDBUFFORCE", 0, 5000, 300000, -1),
    _socket("SO_RCVBUFFORCE", 0, 5000, 300000, -1),
    _socket("SO_LINGER", *({"l_onoff": on, "l_linger": seconds} for on in (0, 1, 2) for seconds in (0, 7, -1))),
    _socket("SO_RCVTIMEO", _time(100, 0), _time(0, 0), _time(200, 1), _time(100, 999999), _time(0, 1000000)),
    _socket("SO_SNDTIMEO", _time(100, 0), _time(0, 0), _time(200, 1), _time(100, 3999), _time(0, -1)),
    *[_socket(name, 0, 1) for name in ("SO_TYPE", "SO_ERROR", "SO_DOMAIN", "SO_PROTOCOL", "SO_ACCEPTCONN")],
    (SOL_SOCKET, 72, (0, 1, 2, 3, 4)),
    (SOL_SOCKET, 999, (1,)),
)
"""Options of SOL_SOCKET; 72 is SO_BUF_LOCK."""


def _tcp(name: str, *values: int) -> tuple[int, int, Sequence[Any]]:
    return C["SOL_TCP"], C[name], values


def _ip(name: str, *values: int) -> tuple[int, int, Sequence[Any]]:
    return C["SOL_IP"], C[name], values


INET_OPTIONS: Pool = (
    _tcp("TCP_NODELAY", *_SWITCH),
    _tcp("TCP_CORK", *_SWITCH),
    _tcp("TCP_KEEPIDLE", 100, 1000, 32767, 32768, 0),
    _tcp("TCP_KEEPINTVL", 100, 32767, 32768, 0),
    _tcp("TCP_KEEPCNT", 1, 127, 128, 0),
    _tcp("TCP_SYNCNT", 1, 127, 128, 0),
    _tcp("TCP_LINGER2", 60, 0, -1, 121),
    _tcp("TCP_USER_TIMEOUT", 0, 100000, -1),
    _tcp("TCP_NOTSENT_LOWAT", 0, 100000, -1),
    _tcp("TCP_MAXSEG", 0, 87, 88, 1000, 32768),
    _tcp("TCP_DEFER_ACCEPT", 0, -1),
    _tcp("TCP_QUICKACK", 1),
    _ip("IP_TTL", 1, 64, 255, 256, 0, -1),
    _ip("IP_TOS", 0, 0x10, 0x1F, 0xFF, 0x103),
    _ip("IP_FREEBIND", *_SWITCH),
    _ip("IP_TRANSPARENT", *_SWITCH),
    _ip("IP_MINTTL", 0, 64, 256),
    _ip("IP_MTU_DISCOVER", 0, 2, 5, 6, -1),
    _ip("IP_BIND_ADDRESS_NO_PORT", *_SWITCH),
    _ip("IP_MULTICAST_TTL", 0, 5, -1, 256),
    _ip("IP_MULTICAST_LOOP", *_SWITCH),
    _ip("IP_MULTICAST_ALL", 0, 1, 2),
    _ip("IP_RECVERR", 0),
    _ip("IP_HDRINCL", 0, 1),
)
"""Options of TCP and IP."""
