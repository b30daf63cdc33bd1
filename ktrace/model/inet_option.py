"""Options of SOL_IP (``net/ipv4/ip_sockglue.c``)."""

from __future__ import annotations

import struct

from ktrace.model.inet_sock import Inet
from ktrace.model.kernel import Kernel
from ktrace.model.socket import sockets
from ktrace.model.task import Errno, Task

SOL_IP = 0
IP_TOS, IP_TTL, IP_RECVERR, IP_FREEBIND, IP_TRANSPARENT, IP_NODEFRAG, IP_BIND_ADDRESS_NO_PORT = 1, 2, 11, 15, 19, 22, 24
INET_ECN_MASK = 3
TOS_PRIORITY = (0, 0, 0, 0, 2, 2, 2, 2, 6, 6, 6, 6, 4, 4, 4, 4)
"""``ip_tos2prio[]`` (``net/ipv4/route.c``)."""

BITS = {IP_RECVERR: "recverr", IP_FREEBIND: "freebind", IP_BIND_ADDRESS_NO_PORT: "bind_address_no_port"}


def set_ip_option(task: Task, sk: Inet, level: int, optname: int, optval: bytes) -> int:
    """Set one option (``do_ip_setsockopt()``).

    :raises Errno: ENOPROTOOPT, EINVAL, EPERM
    """
    if level != SOL_IP:
        raise Errno("ENOPROTOOPT")
    value: int = struct.unpack_from("<i", optval)[0] if len(optval) >= 4 else (optval[0] if optval else 0)
    if optname in BITS:
        if not optval:
            raise Errno("EINVAL")
        _bit(sk, BITS[optname], value != 0)
    elif optname == IP_TTL:
        if not optval or (value != -1 and not 1 <= value <= 255):
            raise Errno("EINVAL")
        sk.uc_ttl = value
    elif optname == IP_TOS:
        _set_tos(sk, value)
    elif optname == IP_TRANSPARENT:
        if value and not (task.cred.capable("CAP_NET_RAW") or task.cred.capable("CAP_NET_ADMIN")):
            raise Errno("EPERM")
        if not optval:
            raise Errno("EINVAL")
        _bit(sk, "transparent", value != 0)
    else:
        raise Errno("ENOPROTOOPT")
    return 0


def _set_tos(sk: Inet, value: int) -> None:
    """``__ip_sock_set_tos()``."""
    if sk.type == 1:
        value = value & ~INET_ECN_MASK | sk.tos & INET_ECN_MASK
    if sk.tos != value:
        sk.tos = value & 0xFF
        sk.priority = TOS_PRIORITY[(value & 0x1E) >> 1]


def _bit(sk: Inet, name: str, on: bool) -> None:
    if on:
        sk.bits.add(name)
    else:
        sk.bits.discard(name)


def get_ip_option(kernel: Kernel, sk: Inet, level: int, optname: int, optlen: int) -> bytes:
    """Return one option (``do_ip_getsockopt()``); a small number fits into one byte.

    :raises Errno: EOPNOTSUPP, EINVAL, ENOPROTOOPT
    """
    if level != SOL_IP:
        raise Errno("EOPNOTSUPP")
    if optlen < 0:
        raise Errno("EINVAL")
    if optname in BITS:
        value = int(BITS[optname] in sk.bits)
    elif optname == IP_TTL:
        value = sk.uc_ttl if sk.uc_ttl != -1 else sockets(kernel).setting("ipv4/ip_default_ttl")
    elif optname == IP_TOS:
        value = sk.tos
    elif optname == IP_TRANSPARENT:
        value = int("transparent" in sk.bits)
    else:
        raise Errno("ENOPROTOOPT")
    if 0 < optlen < 4 and 0 <= value <= 255:
        return bytes([value])
    return struct.pack("<i", value)[:optlen]
