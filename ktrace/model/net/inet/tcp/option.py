"""Options of SOL_TCP (``net/ipv4/tcp.c``: ``do_tcp_setsockopt()``, ``do_tcp_getsockopt()``)."""

from __future__ import annotations

import struct

from ktrace.include.linux.limits import U8_MAX
from ktrace.include.linux.types import SIZEOF_INT, u32
from ktrace.include.net.tcp import (
    MAX_TCP_KEEPCNT,
    MAX_TCP_KEEPIDLE,
    MAX_TCP_SYNCNT,
    MAX_TCP_WINDOW,
    TCP_CA_NAME_MAX,
    TCP_MIN_MSS,
    TCP_NAGLE_CORK,
    TCP_NAGLE_OFF,
    TCP_NAGLE_PUSH,
    TFO_CLIENT_ENABLE,
)
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.proto_ops import OptionValue, in_range
from ktrace.model.net.inet.tcp.info import get_info
from ktrace.model.net.inet.tcp.segment import tcp_push_pending_frames
from ktrace.model.net.inet.tcp.sock import Tcp
from ktrace.model.net.sockopt import int_option
from ktrace.model.task import AsObserved, Errno, Task
from ktrace.model.timer import HZ
from ktrace.state.allowed import Between, OneOf
from ktrace.state.rule import Rule
from ktrace.uapi.socket import SOL_TCP
from ktrace.uapi.tcp import (
    SIZEOF_TCP_INFO,
    TCP_CC_INFO,
    TCP_CONGESTION,
    TCP_CORK,
    TCP_DEFER_ACCEPT,
    TCP_FASTOPEN,
    TCP_FASTOPEN_CONNECT,
    TCP_FASTOPEN_KEY,
    TCP_FASTOPEN_NO_COOKIE,
    TCP_INFO,
    TCP_INQ,
    TCP_KEEPCNT,
    TCP_KEEPIDLE,
    TCP_KEEPINTVL,
    TCP_LINGER2,
    TCP_MAXSEG,
    TCP_NODELAY,
    TCP_NOTSENT_LOWAT,
    TCP_QUEUE_SEQ,
    TCP_QUICKACK,
    TCP_REPAIR,
    TCP_REPAIR_OPTIONS,
    TCP_REPAIR_QUEUE,
    TCP_REPAIR_WINDOW,
    TCP_SAVE_SYN,
    TCP_SAVED_SYN,
    TCP_SYNCNT,
    TCP_THIN_DUPACK,
    TCP_THIN_LINEAR_TIMEOUTS,
    TCP_TIMESTAMP,
    TCP_TX_DELAY,
    TCP_ULP,
    TCP_USER_TIMEOUT,
    TCP_WINDOW_CLAMP,
    TCP_ZEROCOPY_RECEIVE,
)

SMALL_OPTIONS = {
    TCP_THIN_LINEAR_TIMEOUTS: 1, TCP_SAVE_SYN: 2, TCP_FASTOPEN_CONNECT: 1, TCP_FASTOPEN_NO_COOKIE: 1, TCP_INQ: 1,
}  # fmt: skip
"""Options that are a small number, by the largest."""

TCP_FASTOPEN_KEY_LENGTH = 16
MSS = Rule("net/ipv4/tcp_output.c", "tcp_sync_mss", "mss_cache follows the route and what the peer announced")
WINDOW_CLAMP = Rule("net/ipv4/tcp_output.c", "tcp_select_initial_window", "window_clamp follows the buffers")
PINGPONG = Rule(
    "include/net/inet_connection_sock.h", "inet_csk_in_pingpong_mode", "whether data answered data before its ACK"
)
TIMESTAMP = Rule("include/net/tcp.h", "tcp_time_stamp_raw", "milliseconds, with a random start")
TCP_FIN_TIMEOUT_MAX, TCP_RTO_MAX = 120, 120
KEEPALIVE_TIME, KEEPALIVE_INTVL, KEEPALIVE_PROBES, SYN_RETRIES, FIN_TIMEOUT = 7200, 75, 9, 6, 60
"""Settings below /proc/sys/net/ipv4 that nobody changed (``tcp_sk_init()``), in seconds and counts."""


def set_tcp_option(task: Task, sk: Tcp, optname: int, optval: bytes) -> int:
    """Set one option.

    :raises Errno: EINVAL, EPERM, EOPNOTSUPP, ENOPROTOOPT
    """
    kernel = task.kernel
    if optname in (TCP_CONGESTION, TCP_ULP, TCP_FASTOPEN_KEY):
        return _set_string(task, sk, optname, optval)
    value = int_option(optval)
    if optname == TCP_NODELAY:
        if value:
            sk.nonagle |= TCP_NAGLE_OFF | TCP_NAGLE_PUSH
            tcp_push_pending_frames(kernel, sk)
        else:
            sk.nonagle &= ~TCP_NAGLE_OFF
    elif optname == TCP_CORK:
        if value:
            sk.nonagle |= TCP_NAGLE_CORK
        else:
            sk.nonagle &= ~TCP_NAGLE_CORK
            if sk.nonagle & TCP_NAGLE_OFF:
                sk.nonagle |= TCP_NAGLE_PUSH
            tcp_push_pending_frames(kernel, sk)
    elif optname == TCP_KEEPIDLE:
        sk.keepalive_time = in_range(value, 1, MAX_TCP_KEEPIDLE) * HZ
    elif optname == TCP_KEEPINTVL:
        sk.keepalive_intvl = in_range(value, 1, MAX_TCP_KEEPIDLE) * HZ
    elif optname == TCP_KEEPCNT:
        sk.keepalive_probes = in_range(value, 1, MAX_TCP_KEEPCNT)
    elif optname == TCP_SYNCNT:
        sk.syn_retries = in_range(value, 1, MAX_TCP_SYNCNT)
    elif optname == TCP_LINGER2:
        sk.linger2 = -1 if value < 0 else min(value, TCP_FIN_TIMEOUT_MAX) * HZ
    elif optname == TCP_USER_TIMEOUT:
        sk.user_timeout = in_range(value, 0, (1 << 31) - 1)
    elif optname == TCP_NOTSENT_LOWAT:
        sk.notsent_lowat = u32(value)
        sk.call_write_space(kernel)
    elif optname == TCP_MAXSEG:
        sk.options[SOL_TCP, optname] = in_range(value, TCP_MIN_MSS, MAX_TCP_WINDOW) if value else 0
    elif optname == TCP_WINDOW_CLAMP:
        if not value and sk.state != "TCP_CLOSE":
            raise Errno("EINVAL")
        sk.options[SOL_TCP, optname] = value
        sk.clamped = True  # tcp_set_window_clamp(): what is offered from now on may be small
    elif optname == TCP_THIN_DUPACK:
        in_range(value, 0, 1)
    elif optname in SMALL_OPTIONS:
        _set_small(kernel, sk, optname, in_range(value, 0, SMALL_OPTIONS[optname]))
    elif optname == TCP_FASTOPEN:
        if value < 0 or sk.state not in ("TCP_CLOSE", "TCP_LISTEN"):
            raise Errno("EINVAL")
        sk.options[SOL_TCP, optname] = min(value, kernel.net.setting("core/somaxconn"))
    elif optname == TCP_DEFER_ACCEPT:
        sk.defer_accept = secs_to_retrans(value)
    elif optname == TCP_TX_DELAY:
        if value:
            raise NotImplementedError("the model does not delay what is sent")
    elif optname == TCP_QUICKACK:
        if not value & 1 and sk.state == "TCP_CLOSE":
            raise NotImplementedError("the model does not save the last ACK of a handshake (pingpong mode)")
    else:
        _set_repair(task, sk, optname, value)
    return 0


def _set_string(task: Task, sk: Tcp, optname: int, optval: bytes) -> int:
    """Choose how the connection avoids congestion (``tcp_set_congestion_control()``), or fail.

    No other protocol lies between TCP and its user (``tcp_set_ulp()``), and no key can be set without fast open.
    """
    if not optval:
        raise Errno("EINVAL")
    if optname == TCP_FASTOPEN_KEY:
        if len(optval) not in (TCP_FASTOPEN_KEY_LENGTH, 2 * TCP_FASTOPEN_KEY_LENGTH):
            raise Errno("EINVAL")
        raise NotImplementedError("the model does not know keys of fast open")
    name = optval[: TCP_CA_NAME_MAX - 1].split(b"\0", 1)[0].decode("ascii", "replace")
    ops = task.kernel.net.facts.congestion.get(name)
    if ops is None or optname == TCP_ULP:
        raise Errno("ENOENT")
    sk.ca_setsockopt = True
    sk.ca_ops = ops
    return 0


def _set_small(kernel: Kernel, sk: Tcp, optname: int, value: int) -> None:
    if optname == TCP_FASTOPEN_CONNECT:
        if not kernel.net.setting("ipv4/tcp_fastopen") & TFO_CLIENT_ENABLE:
            raise Errno("EOPNOTSUPP")
        if sk.state != "TCP_CLOSE":
            raise Errno("EINVAL")
    elif optname == TCP_FASTOPEN_NO_COOKIE and sk.state not in ("TCP_CLOSE", "TCP_LISTEN"):
        raise Errno("EINVAL")
    if value and optname == TCP_INQ:
        raise NotImplementedError(f"the model does not know what the TCP option {optname} changes")
    sk.options[SOL_TCP, optname] = value


def _set_repair(task: Task, sk: Tcp, optname: int, value: int) -> None:
    """Refuse the options of repair mode, which the model never enters, and unknown ones."""
    if optname == TCP_REPAIR:
        if not task.cred.capable("CAP_NET_ADMIN") or sk.state == "TCP_LISTEN":
            raise Errno("EPERM")
        if value == 1:
            raise NotImplementedError("the model does not know TCP_REPAIR")
        if value not in (0, -1):
            raise Errno("EINVAL")
        sk.reuse = 0
    elif optname == TCP_QUEUE_SEQ:
        raise Errno("EPERM" if sk.state != "TCP_CLOSE" else "EINVAL")
    elif optname == TCP_REPAIR_OPTIONS:
        raise Errno("EINVAL")
    elif optname in (TCP_REPAIR_QUEUE, TCP_TIMESTAMP, TCP_REPAIR_WINDOW):
        raise Errno("EPERM")
    else:
        raise Errno("ENOPROTOOPT")


def secs_to_retrans(seconds: int) -> int:
    """Return how often a SYN-ACK is sent again in that time (``secs_to_retrans()``)."""
    count, timeout, period = int(seconds > 0), 1, 1
    while seconds > period and count < U8_MAX:
        count += 1
        timeout = min(2 * timeout, TCP_RTO_MAX)
        period += timeout
    return count


def retrans_to_secs(count: int) -> int:
    """Return the seconds in which a SYN-ACK is sent again *count* times (``retrans_to_secs()``)."""
    timeout, period = 1, min(count, 1)
    for _ in range(count - 1):
        timeout = min(2 * timeout, TCP_RTO_MAX)
        period += timeout
    return period


def get_tcp_option(kernel: Kernel, sk: Tcp, optname: int, optlen: int) -> OptionValue:
    """Return one option; a value that only the kernel knows needs room for a whole int.

    :raises Errno: EINVAL for a negative length, EPERM, ENOPROTOOPT
    """
    if optlen < 0:
        raise Errno("EINVAL")
    if optname == TCP_INFO:
        if optlen < SIZEOF_TCP_INFO:
            raise AsObserved("a part of TCP_INFO")
        return get_info(kernel, sk)
    if optname == TCP_CONGESTION:
        names = {symbol: name for name, symbol in kernel.net.facts.congestion.items()}
        return names[sk.ca_ops].encode().ljust(TCP_CA_NAME_MAX, b"\0")[:optlen]
    if optname in (TCP_ULP, TCP_CC_INFO) or (optname == TCP_FASTOPEN_KEY and (SOL_TCP, TCP_FASTOPEN) not in sk.options):
        return b""  # Neither cubic nor reno has anything to tell.
    if optname in (TCP_ZEROCOPY_RECEIVE, TCP_FASTOPEN_KEY):
        raise NotImplementedError(f"the model does not know the value of the TCP option {optname}")
    if optname == TCP_SAVED_SYN:
        if sk.options.get((SOL_TCP, TCP_SAVE_SYN)):
            raise NotImplementedError("the model does not keep SYN packets")
        return b""
    if optname in (TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ, TCP_REPAIR_WINDOW):
        raise Errno("EINVAL")
    loose = _undetermined(sk, optname)
    if loose is not None:
        if optlen < SIZEOF_INT:
            raise AsObserved("a part of a value that is not determined")
        return loose
    values = {
        TCP_NODELAY: int(bool(sk.nonagle & TCP_NAGLE_OFF)),
        TCP_CORK: int(bool(sk.nonagle & TCP_NAGLE_CORK)),
        TCP_KEEPIDLE: (sk.keepalive_time or KEEPALIVE_TIME * HZ) // HZ,
        TCP_KEEPINTVL: (sk.keepalive_intvl or KEEPALIVE_INTVL * HZ) // HZ,
        TCP_KEEPCNT: sk.keepalive_probes or KEEPALIVE_PROBES,
        TCP_SYNCNT: sk.syn_retries or SYN_RETRIES,
        TCP_LINGER2: sk.linger2 if sk.linger2 < 0 else (sk.linger2 or FIN_TIMEOUT * HZ) // HZ,
        TCP_USER_TIMEOUT: sk.user_timeout,
        TCP_NOTSENT_LOWAT: sk.notsent_lowat,
        TCP_MAXSEG: sk.options.get((SOL_TCP, TCP_MAXSEG), 0),
        TCP_FASTOPEN: sk.options.get((SOL_TCP, TCP_FASTOPEN), 0),
        TCP_THIN_DUPACK: 0,
        TCP_REPAIR: 0,
        TCP_DEFER_ACCEPT: retrans_to_secs(sk.defer_accept),
        TCP_TX_DELAY: 0,
        **{option: sk.options.get((SOL_TCP, option), 0) for option in SMALL_OPTIONS},
    }
    if optname not in values:
        raise Errno("ENOPROTOOPT")
    return struct.pack("<I", u32(values[optname]))[:optlen]


def _undetermined(sk: Tcp, optname: int) -> Between | OneOf | None:
    """Return the allowed values of an option that follows the connection's fate."""
    if optname == TCP_MAXSEG and not (
        sk.options.get((SOL_TCP, TCP_MAXSEG)) and sk.state in ("TCP_CLOSE", "TCP_LISTEN")
    ):
        return Between(MSS, 1, 0xFFFF)
    if optname == TCP_WINDOW_CLAMP:
        # Up to 6.12 one below 0 is no small one: tcp_set_window_clamp() compares it with a size_t.
        set_below = sk.options.get((SOL_TCP, TCP_WINDOW_CLAMP), 0) < 0
        return Between(WINDOW_CLAMP, -(1 << 31) if set_below else 0, (1 << 31) - 1)
    if optname == TCP_QUICKACK:
        return OneOf(PINGPONG, (0, 1))
    if optname == TCP_TIMESTAMP:
        return Between(TIMESTAMP, -(1 << 31), (1 << 31) - 1)
    return None
