"""Options of SOL_TCP (``net/ipv4/tcp.c``: ``do_tcp_setsockopt()``, ``do_tcp_getsockopt()``)."""

from __future__ import annotations

import struct

from ktrace.model.kernel import Kernel
from ktrace.model.sockopt import HZ, int_option
from ktrace.model.task import Errno
from ktrace.model.tcp import NAGLE_CORK, NAGLE_OFF, NAGLE_PUSH, Tcp, push

SOL_TCP = 6
TCP_NODELAY, TCP_MAXSEG, TCP_CORK, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_SYNCNT, TCP_LINGER2 = range(1, 9)
TCP_USER_TIMEOUT, TCP_NOTSENT_LOWAT = 18, 25
MAX_KEEP, MAX_KEEPCNT, MAX_SYNCNT = 32767, 127, 127
TCP_FIN_TIMEOUT_MAX = 120
KEEPALIVE_TIME, KEEPALIVE_INTVL, KEEPALIVE_PROBES, SYN_RETRIES, FIN_TIMEOUT = 7200, 75, 9, 6, 60
"""Settings below /proc/sys/net/ipv4 that nobody changed (``tcp_sk_init()``), in seconds and counts."""


def set_tcp_option(kernel: Kernel, sk: Tcp, optname: int, optval: bytes) -> int:
    """Set one option.

    :raises Errno: EINVAL, ENOPROTOOPT
    """
    value = int_option(optval)
    if optname == TCP_NODELAY:
        if value:
            sk.nonagle |= NAGLE_OFF | NAGLE_PUSH
            push(kernel, sk)
        else:
            sk.nonagle &= ~NAGLE_OFF
    elif optname == TCP_CORK:
        if value:
            sk.nonagle |= NAGLE_CORK
        else:
            sk.nonagle &= ~NAGLE_CORK
            if sk.nonagle & NAGLE_OFF:
                sk.nonagle |= NAGLE_PUSH
            push(kernel, sk)
    elif optname == TCP_KEEPIDLE:
        sk.keepalive_time = _range(value, 1, MAX_KEEP) * HZ
    elif optname == TCP_KEEPINTVL:
        sk.keepalive_intvl = _range(value, 1, MAX_KEEP) * HZ
    elif optname == TCP_KEEPCNT:
        sk.keepalive_probes = _range(value, 1, MAX_KEEPCNT)
    elif optname == TCP_SYNCNT:
        sk.syn_retries = _range(value, 1, MAX_SYNCNT)
    elif optname == TCP_LINGER2:
        sk.linger2 = -1 if value < 0 else min(value, TCP_FIN_TIMEOUT_MAX) * HZ
    elif optname == TCP_USER_TIMEOUT:
        sk.user_timeout = _range(value, 0, (1 << 31) - 1)
    elif optname == TCP_NOTSENT_LOWAT:
        sk.notsent_lowat = value & 0xFFFFFFFF
    else:
        raise Errno("ENOPROTOOPT")
    return 0


def _range(value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise Errno("EINVAL")
    return value


def get_tcp_option(sk: Tcp, optname: int, optlen: int) -> bytes:
    """Return one option.

    :raises Errno: EINVAL for a negative length, ENOPROTOOPT
    """
    if optlen < 0:
        raise Errno("EINVAL")
    values = {
        TCP_NODELAY: int(bool(sk.nonagle & NAGLE_OFF)),
        TCP_CORK: int(bool(sk.nonagle & NAGLE_CORK)),
        TCP_KEEPIDLE: (sk.keepalive_time or KEEPALIVE_TIME * HZ) // HZ,
        TCP_KEEPINTVL: (sk.keepalive_intvl or KEEPALIVE_INTVL * HZ) // HZ,
        TCP_KEEPCNT: sk.keepalive_probes or KEEPALIVE_PROBES,
        TCP_SYNCNT: sk.syn_retries or SYN_RETRIES,
        TCP_LINGER2: sk.linger2 if sk.linger2 < 0 else (sk.linger2 or FIN_TIMEOUT * HZ) // HZ,
        TCP_USER_TIMEOUT: sk.user_timeout,
        TCP_NOTSENT_LOWAT: sk.notsent_lowat,
    }
    if optname not in values:
        raise Errno("ENOPROTOOPT")
    return struct.pack("<I", values[optname] & 0xFFFFFFFF)[:optlen]
