"""Options of SOL_SOCKET, and the way to those of the protocols (``net/core/sock.c``)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

from ktrace.include.linux.sched import MAX_SCHEDULE_TIMEOUT
from ktrace.include.net.ip import LOOPBACK_IFINDEX
from ktrace.model.calls import syscall
from ktrace.model.kernel import Kernel
from ktrace.model.net import sockopt_busy_poll, sockopt_filter, sockopt_memory, sockopt_timestamp, sockopt_transmit
from ktrace.model.net.core.sock import Sock, Socket
from ktrace.model.net.socket import sockfd_lookup
from ktrace.model.task import Errno, Task
from ktrace.model.timer import HZ
from ktrace.state.call import Pointer
from ktrace.uapi import socket
from ktrace.uapi.if_ import IFNAMSIZ
from ktrace.uapi.limits import INT_MAX, UINT_MAX
from ktrace.uapi.named import by_number, numbers
from ktrace.uapi.socket import (
    SO_BINDTODEVICE,
    SO_BINDTOIFINDEX,
    SO_BROADCAST,
    SO_BSDCOMPAT,
    SO_BUF_LOCK,
    SO_DEBUG,
    SO_DONTROUTE,
    SO_KEEPALIVE,
    SO_LINGER,
    SO_MARK,
    SO_NO_CHECK,
    SO_NOFCS,
    SO_OOBINLINE,
    SO_PASSCRED,
    SO_PASSSEC,
    SO_PEEK_OFF,
    SO_PRIORITY,
    SO_RCVBUF,
    SO_RCVBUFFORCE,
    SO_RCVLOWAT,
    SO_RCVMARK,
    SO_RCVTIMEO,
    SO_REUSEADDR,
    SO_REUSEPORT,
    SO_RXQ_OVFL,
    SO_SELECT_ERR_QUEUE,
    SO_SNDBUF,
    SO_SNDBUFFORCE,
    SO_SNDTIMEO,
    SO_WIFI_STATUS,
    SO_ZEROCOPY,
    SOCK_BUF_LOCK_MASK,
    SOL_SOCKET,
)

BUF_LOCKS = by_number(numbers(socket, "SOCK_SNDBUF_LOCK SOCK_RCVBUF_LOCK"))
FLAG_OPTIONS = {
    SO_DONTROUTE: "SOCK_LOCALROUTE", SO_BROADCAST: "SOCK_BROADCAST", SO_OOBINLINE: "SOCK_URGINLINE",
    SO_RXQ_OVFL: "SOCK_RXQ_OVFL", SO_WIFI_STATUS: "SOCK_WIFI_STATUS", SO_NOFCS: "SOCK_NOFCS",
    SO_SELECT_ERR_QUEUE: "SOCK_SELECT_ERR_QUEUE", SO_RCVMARK: "SOCK_RCVMARK",
}  # fmt: skip
"""Options that are one bit of ``sk_flags``."""


def option_bytes(optval: Any, optlen: int) -> bytes:
    """Return the *optlen* bytes that user space gives for an option.

    :raises Errno: EFAULT
    """
    if isinstance(optval, Pointer):
        raise Errno("EFAULT")
    if isinstance(optval, int):
        data = struct.pack("<I", optval & UINT_MAX)
    elif isinstance(optval, Mapping):
        values = tuple(optval.values())
        data = struct.pack({2: "<ii" if "l_onoff" in optval else "<qq", 3: "<iII"}[len(values)], *values)
    else:
        data = bytes(optval)
    return data[:optlen].ljust(optlen, b"\0")


def int_option(data: bytes) -> int:
    """Return the int that an option starts with.

    :raises Errno: EINVAL where there is none
    """
    if len(data) < 4:
        raise Errno("EINVAL")
    value: int = struct.unpack_from("<i", data)[0]
    return value


@syscall("setsockopt")
def setsockopt(task: Task, sockfd: int, level: int, optname: int, optval: Any, optlen: int) -> int:
    """Set an option (``__sys_setsockopt()``)."""
    if optlen & UINT_MAX > INT_MAX:
        raise Errno("EINVAL")
    with sockfd_lookup(task, sockfd) as sock:
        if level == SOL_SOCKET:
            if optname != SO_BINDTODEVICE and optlen < 4:
                raise Errno("EINVAL")
            assert sock.sk is not None
            _set(task, sock.sk, optname, option_bytes(optval, optlen))
            return 0
        assert sock.ops is not None
        return sock.ops.setsockopt(task, sock, level, optname, option_bytes(optval, optlen))


def _set(task: Task, sk: Sock, optname: int, data: bytes) -> None:
    """``sk_setsockopt()``."""
    if optname in (SO_BINDTODEVICE, SO_BINDTOIFINDEX):
        _bind_to_device(task, sk, optname, data)
        return
    value = int_option(data)
    if optname in FLAG_OPTIONS:
        sk.set_flag(FLAG_OPTIONS[optname], value != 0)
        if optname == SO_DONTROUTE:
            sk.dst_reset()
        return
    setter = _SETTERS.get(optname)
    if setter is None:
        raise Errno("ENOPROTOOPT")
    setter(task, sk, optname, value, data)


def _bind_to_device(task: Task, sk: Sock, optname: int, data: bytes) -> None:
    """Tie a sock to an interface, of which there is one (``sock_setbindtodevice()``, ``sock_bindtoindex_locked()``).

    :raises Errno: ENOPROTOOPT without CONFIG_NETDEVICES; ENODEV, EPERM, EINVAL
    """
    if not task.kernel.net.facts.netdevices:
        raise Errno("ENOPROTOOPT")
    if optname == SO_BINDTODEVICE:
        name = data[: IFNAMSIZ - 1].split(b"\0", 1)[0]
        if name not in (b"", b"lo"):
            raise Errno("ENODEV")
        index = LOOPBACK_IFINDEX if name else 0
    else:
        index = int_option(data)
    if sk.bound_dev_if:
        _needs(task, "CAP_NET_RAW")
    if index < 0:
        raise Errno("EINVAL")
    sk.bound_dev_if = index
    sk.dst_reset()


def _min_truesize(kernel: Kernel) -> int:
    """``TCP_SKB_MIN_TRUESIZE``."""
    return 2048 + kernel.net.alloc.sk_buff


def _u32_min(value: int, limit: int) -> int:
    """``min_t(u32, value, limit)`` as an int: a negative value is a large one."""
    return min(value & UINT_MAX, limit)


def _sndbuf(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    kernel = task.kernel
    _set_sndbuf(kernel, sk, _u32_min(value, kernel.net.setting("core/wmem_max")))


def _sndbufforce(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    _needs(task, "CAP_NET_ADMIN")
    _set_sndbuf(task.kernel, sk, max(value, 0))


def _set_sndbuf(kernel: Kernel, sk: Sock, value: int) -> None:
    sk.userlocks.add("SOCK_SNDBUF_LOCK")
    sk.sndbuf = max(min(value, INT_MAX // 2) * 2, _min_truesize(kernel) * 2)
    sk.call_write_space(kernel)


def _rcvbuf(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    kernel = task.kernel
    _set_rcvbuf(kernel, sk, _u32_min(value, kernel.net.setting("core/rmem_max")))


def _rcvbufforce(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    _needs(task, "CAP_NET_ADMIN")
    _set_rcvbuf(task.kernel, sk, max(value, 0))


def _set_rcvbuf(kernel: Kernel, sk: Sock, value: int) -> None:
    """``__sock_set_rcvbuf()``."""
    sk.userlocks.add("SOCK_RCVBUF_LOCK")
    sk.rcvbuf = max(min(value, INT_MAX // 2) * 2, _min_truesize(kernel))


def _socket_of(sk: Sock) -> Socket:
    assert sk.socket is not None
    return sk.socket


def _needs(task: Task, *capabilities: str) -> None:
    if not any(task.cred.capable(capability) for capability in capabilities):
        raise Errno("EPERM")


def _debug(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    if value and not task.cred.capable("CAP_NET_ADMIN"):
        raise Errno("EACCES")
    sk.set_flag("SOCK_DBG", value != 0)


def _reuseaddr(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    sk.reuse = int(value != 0)


def _reuseport(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    if value and sk.family not in ("AF_INET", "AF_INET6"):
        raise Errno("EOPNOTSUPP")
    sk.reuseport = int(value != 0)


def _keepalive(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    sk.set_flag("SOCK_KEEPOPEN", value != 0)


def _no_check(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    sk.no_check_tx = int(value != 0)


def _priority(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    if not 0 <= value <= 6:
        _needs(task, "CAP_NET_RAW", "CAP_NET_ADMIN")
    sk.priority = value & UINT_MAX


def _linger(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    if len(data) < 8:
        raise Errno("EINVAL")
    onoff, seconds = struct.unpack_from("<ii", data)
    if not onoff:
        sk.set_flag("SOCK_LINGER", False)
        return
    # unsigned long t_sec: a negative time is for ever
    sk.lingertime = None if seconds < 0 else seconds * HZ
    sk.set_flag("SOCK_LINGER")


def _passcred(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    _may_scm_recv(task, sk)
    _socket_flag(sk, "SOCK_PASSCRED", value != 0)


def _passsec(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    _may_scm_recv(task, sk, security=True)
    _socket_flag(sk, "SOCK_PASSSEC", value != 0)


def may_scm_recv(kernel: Kernel, sk: Sock, security: bool = False) -> bool:
    """Tell whether a sock may ask for credentials or a security context (``sk_may_scm_recv()``): once, any could.

    :param security: it asks for a security context, which CONFIG_SECURITY_NETWORK alone knows
    """
    if not kernel.changes.scm_flags_in_sock:
        return True
    return sk.family in ("AF_UNIX", "AF_NETLINK") and (kernel.net.facts.security or not security)


def _may_scm_recv(task: Task, sk: Sock, security: bool = False) -> None:
    if not may_scm_recv(task.kernel, sk, security):
        raise Errno("EOPNOTSUPP")


def _socket_flag(sk: Sock, name: str, on: bool) -> None:
    socket = _socket_of(sk)
    if on:
        socket.flags.add(name)
    else:
        socket.flags.discard(name)


def _rcvlowat(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    socket = _socket_of(sk)
    assert socket.ops is not None
    socket.ops.set_rcvlowat(task.kernel, socket, INT_MAX if value < 0 else value)


def _rcvtimeo(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    sk.rcvtimeo = _timeout(data)


def _sndtimeo(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    sk.sndtimeo = _timeout(data)


def _timeout(data: bytes) -> int | None:
    """``sock_set_timeout()``: jiffies, rounded up; ``None`` for ever."""
    if len(data) < 16:
        raise Errno("EINVAL")
    seconds, microseconds = struct.unpack_from("<qq", data)
    if not 0 <= microseconds < 1000000:
        raise Errno("EDOM")
    if seconds < 0:
        return 0
    if (seconds or microseconds) and seconds < MAX_SCHEDULE_TIMEOUT // HZ - 1:
        return int(seconds * HZ + -(-microseconds // (1000000 // HZ)))
    return None


def _mark(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    _needs(task, "CAP_NET_RAW", "CAP_NET_ADMIN")
    if sk.mark != value & UINT_MAX:
        sk.mark = value & UINT_MAX
        sk.dst_reset()


def _peek_off(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    socket = _socket_of(sk)
    assert socket.ops is not None
    socket.ops.set_peek_off(task.kernel, socket, value)


def _zerocopy(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    if sk.family not in ("AF_INET", "AF_INET6") or (sk.type, sk.protocol) not in ((1, 6), (2, 17)):
        raise Errno("EOPNOTSUPP")
    if value not in (0, 1):
        raise Errno("EINVAL")
    sk.set_flag("SOCK_ZEROCOPY", value != 0)


def _buf_lock(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    if value & ~SOCK_BUF_LOCK_MASK:
        raise Errno("EINVAL")
    sk.settle_buffers(task.kernel)
    for mask, name in BUF_LOCKS.items():
        if value & mask:
            sk.userlocks.add(name)
        else:
            sk.userlocks.discard(name)


def _ignored(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    """SO_BSDCOMPAT does nothing."""


_SETTERS: Mapping[int, Callable[[Task, Sock, int, int, bytes], None]] = {
    SO_DEBUG: _debug, SO_REUSEADDR: _reuseaddr, SO_REUSEPORT: _reuseport, SO_SNDBUF: _sndbuf,
    SO_SNDBUFFORCE: _sndbufforce, SO_RCVBUF: _rcvbuf, SO_RCVBUFFORCE: _rcvbufforce, SO_KEEPALIVE: _keepalive,
    SO_NO_CHECK: _no_check, SO_PRIORITY: _priority, SO_LINGER: _linger, SO_BSDCOMPAT: _ignored,
    SO_PASSCRED: _passcred, SO_PASSSEC: _passsec, SO_RCVLOWAT: _rcvlowat, SO_RCVTIMEO: _rcvtimeo,
    SO_SNDTIMEO: _sndtimeo, 66: _rcvtimeo, 67: _sndtimeo, SO_MARK: _mark, SO_PEEK_OFF: _peek_off,
    SO_ZEROCOPY: _zerocopy, SO_BUF_LOCK: _buf_lock,
    **sockopt_timestamp.SETTERS, **sockopt_filter.SETTERS, **sockopt_busy_poll.SETTERS, **sockopt_transmit.SETTERS,
    **sockopt_memory.SETTERS,
}  # fmt: skip
