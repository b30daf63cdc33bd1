"""Getting options of SOL_SOCKET, and the way to those of the protocols (``net/core/sock.c``)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

from ktrace.include.linux.sched import MAX_SCHEDULE_TIMEOUT
from ktrace.include.linux.types import s32
from ktrace.model.calls import syscall
from ktrace.model.kernel import Kernel
from ktrace.model.mm.iov import is_bad
from ktrace.model.net import (
    sockopt_busy_poll,
    sockopt_cookie,
    sockopt_filter,
    sockopt_memory,
    sockopt_timestamp,
    sockopt_transmit,
)
from ktrace.model.net.core.proto_ops import OptionValue
from ktrace.model.net.core.sock import Sock, Socket
from ktrace.model.net.socket import sockfd_lookup
from ktrace.model.net.sockopt import BUF_LOCKS, FLAG_OPTIONS, may_scm_recv
from ktrace.model.task import AsObserved, Errno, Task
from ktrace.model.timer import HZ
from ktrace.state.allowed import Between
from ktrace.state.call import Pointer, Result
from ktrace.uapi import socket
from ktrace.uapi.if_ import IFNAMSIZ
from ktrace.uapi.in_ import IP_OPTIONS
from ktrace.uapi.limits import UINT_MAX
from ktrace.uapi.named import numbers
from ktrace.uapi.socket import (
    SIZEOF_UCRED,
    SO_ACCEPTCONN,
    SO_BINDTODEVICE,
    SO_BINDTOIFINDEX,
    SO_BSDCOMPAT,
    SO_BUF_LOCK,
    SO_DEBUG,
    SO_DOMAIN,
    SO_ERROR,
    SO_KEEPALIVE,
    SO_LINGER,
    SO_MARK,
    SO_MEMINFO,
    SO_NO_CHECK,
    SO_PASSCRED,
    SO_PASSSEC,
    SO_PEEK_OFF,
    SO_PEERCRED,
    SO_PEERGROUPS,
    SO_PEERNAME,
    SO_PEERSEC,
    SO_PRIORITY,
    SO_PROTOCOL,
    SO_RCVBUF,
    SO_RCVLOWAT,
    SO_RCVTIMEO,
    SO_REUSEADDR,
    SO_REUSEPORT,
    SO_SNDBUF,
    SO_SNDLOWAT,
    SO_SNDTIMEO,
    SO_TYPE,
    SO_ZEROCOPY,
    SOL_IP,
    SOL_SOCKET,
    SOL_TCP,
)
from ktrace.uapi.tcp import SIZEOF_TCP_INFO, TCP_CONGESTION, TCP_INFO

FAMILY_NUMBERS = numbers(socket, "AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_PACKET")
_STRUCTS = {
    SO_LINGER: ("<ii", ("l_onoff", "l_linger")),
    SO_RCVTIMEO: ("<qq", ("tv_sec", "tv_usec")),
    SO_SNDTIMEO: ("<qq", ("tv_sec", "tv_usec")),
}
_BYTES = {
    (SOL_SOCKET, SO_BINDTODEVICE),
    (SOL_SOCKET, SO_PEERNAME),
    (SOL_SOCKET, SO_PEERSEC),
    (SOL_SOCKET, SO_PEERGROUPS),
    (SOL_SOCKET, SO_MEMINFO),
    (SOL_TCP, TCP_CONGESTION),
    (SOL_TCP, TCP_INFO),
    (SOL_IP, IP_OPTIONS),
}
"""Options whose values are told as bytes."""


@syscall("getsockopt")
def getsockopt(task: Task, sockfd: int, level: int, optname: int, optlen: int | Pointer) -> Result:
    """Get an option (``__sys_getsockopt()``)."""
    kernel = task.kernel
    pointer = task.call.pointers.get("optval") if task.call is not None else None
    with sockfd_lookup(task, sockfd) as sock:
        assert sock.ops is not None
        bad = isinstance(optlen, Pointer) and is_bad(task, optlen)
        room = 0 if isinstance(optlen, Pointer) else optlen & UINT_MAX
        room = s32(room)
        if level == SOL_SOCKET:
            if bad:
                raise Errno("EFAULT")
            if room < 0:
                raise Errno("EINVAL")
            data: OptionValue = _get(task, sock, optname, room)
        else:
            data = sock.ops.getsockopt(task, sock, level, optname, room)
        if pointer is not None and is_bad(task, pointer) and data:
            raise Errno("EFAULT")
    out: dict[str, Any] = {}
    if isinstance(data, dict):
        return Result(0, None, {**({"optval": data} if pointer is None else {}), "optlen": SIZEOF_TCP_INFO})
    if not isinstance(optlen, Pointer):
        out["optlen"] = len(data) if isinstance(data, bytes) else 4
        if pointer is None:
            out["optval"] = _told(kernel, level, optname, data)
            if level == SOL_SOCKET and optname in (SO_SNDBUF, SO_RCVBUF) and out["optlen"] == 4:
                assert sock.sk is not None
                out["optval"] = _buffer(kernel, sock.sk, optname)
    return Result(0, None, out)


def _buffer(kernel: Kernel, sk: Sock, optname: int) -> int | Between:
    """Return the size of a buffer, or what it may have grown to by itself."""
    sysctl = kernel.net.facts.sysctl
    rcvbuf, sndbuf = sk.view_buffers(sysctl.get("ipv4/tcp_rmem/2", 0), sysctl.get("ipv4/tcp_wmem/2", 0))
    return sndbuf if optname == SO_SNDBUF else rcvbuf


def _told(kernel: Kernel, level: int, optname: int, data: Any) -> Any:
    """Return an option's value as calls report it."""
    if not isinstance(data, bytes):
        return data
    if level == SOL_SOCKET and optname == SO_PEERCRED and len(data) == SIZEOF_UCRED:
        pid, uid, gid = struct.unpack("<iII", data)
        return {"pid": (kernel.name_of(pid) or pid) if pid else 0, "uid": uid, "gid": gid}
    if level == SOL_SOCKET and optname in _STRUCTS:
        layout, names = _STRUCTS[optname]
        if len(data) == struct.calcsize(layout):
            return dict(zip(names, struct.unpack(layout, data), strict=True))
    if (level, optname) not in _BYTES and len(data) in (1, 4):
        return int.from_bytes(data, "little", signed=len(data) == 4)
    return data


def _get(task: Task, sock: Socket, optname: int, room: int) -> bytes:
    """``sk_getsockopt()``."""
    kernel = task.kernel
    sk = sock.sk
    assert sk is not None
    if optname in FLAG_OPTIONS:
        return _int(sk.flag(FLAG_OPTIONS[optname]), room)
    if optname in (SO_PASSCRED, SO_PASSSEC) and not may_scm_recv(kernel, sk, optname == SO_PASSSEC):
        raise Errno("EOPNOTSUPP")
    if optname in _PLAIN:
        return _int(_PLAIN[optname](sock, sk), room)
    if optname == SO_ERROR:
        value, sk.err = sk.err, 0
        if not value:
            value, sk.err_soft = sk.err_soft, 0
        return _int(value, room)
    if optname == SO_LINGER:
        seconds = MAX_SCHEDULE_TIMEOUT // HZ & UINT_MAX if sk.lingertime is None else sk.lingertime // HZ
        return struct.pack("<iI", sk.flag("SOCK_LINGER"), seconds & UINT_MAX)[:room]
    if optname in (SO_RCVTIMEO, 66):
        return _timeval(sk.rcvtimeo)[:room]
    if optname in (SO_SNDTIMEO, 67):
        return _timeval(sk.sndtimeo)[:room]
    if optname == SO_PEERCRED:
        return _peercred(kernel, sk)[:room]
    if optname == SO_PEERNAME:
        return _peername(kernel, sock, room)
    if optname == SO_PEEK_OFF:
        assert sock.ops is not None
        if not sock.ops.has_peek_off(kernel):
            raise Errno("EOPNOTSUPP")
        return _int(sk.peek_off, room)
    if optname == SO_BINDTODEVICE and kernel.net.facts.netdevices:
        if not sk.bound_dev_if:
            return b""
        if room < IFNAMSIZ:
            raise Errno("EINVAL")
        return b"lo\0"
    if optname == SO_PEERGROUPS:
        return _peer_groups(sk, room)
    if optname == SO_PEERSEC and kernel.config.peer_labels and FAMILY_NUMBERS[sk.family] == socket.AF_UNIX:
        raise AsObserved("AppArmor's label of a peer", simulated=True)
    if (by_subject := _BY_SUBJECT.get(optname)) is not None:
        return by_subject(task, sk, optname, room)
    raise Errno("ENOPROTOOPT")


_PLAIN: Mapping[int, Callable[[Socket, Sock], int]] = {
    SO_DEBUG: lambda sock, sk: sk.flag("SOCK_DBG"),
    SO_SNDBUF: lambda sock, sk: sk.sndbuf,
    SO_RCVBUF: lambda sock, sk: sk.rcvbuf,
    SO_REUSEADDR: lambda sock, sk: sk.reuse,
    SO_REUSEPORT: lambda sock, sk: sk.reuseport,
    SO_KEEPALIVE: lambda sock, sk: sk.flag("SOCK_KEEPOPEN"),
    SO_TYPE: lambda sock, sk: sk.type,
    SO_PROTOCOL: lambda sock, sk: sk.protocol,
    SO_DOMAIN: lambda sock, sk: FAMILY_NUMBERS[sk.family],
    SO_NO_CHECK: lambda sock, sk: sk.no_check_tx,
    SO_PRIORITY: lambda sock, sk: sk.priority,
    SO_BSDCOMPAT: lambda sock, sk: 0,
    SO_RCVLOWAT: lambda sock, sk: sk.rcvlowat,
    SO_SNDLOWAT: lambda sock, sk: 1,
    SO_PASSCRED: lambda sock, sk: "SOCK_PASSCRED" in sock.flags,
    SO_PASSSEC: lambda sock, sk: "SOCK_PASSSEC" in sock.flags,
    SO_ACCEPTCONN: lambda sock, sk: sk.state == "TCP_LISTEN",
    SO_MARK: lambda sock, sk: sk.mark,
    SO_ZEROCOPY: lambda sock, sk: sk.flag("SOCK_ZEROCOPY"),
    SO_BINDTOIFINDEX: lambda sock, sk: sk.bound_dev_if,
    SO_BUF_LOCK: lambda sock, sk: sum(mask for mask, name in BUF_LOCKS.items() if name in sk.userlocks),
}


def _int(value: int, room: int) -> bytes:
    return struct.pack("<I", int(value) & UINT_MAX)[:room]


def _timeval(timeo: int | None) -> bytes:
    """``sock_get_timeout()``."""
    if timeo is None:
        return bytes(16)
    return struct.pack("<qq", timeo // HZ, timeo % HZ * 1000000 // HZ)


def _peercred(kernel: Kernel, sk: Sock) -> bytes:
    """``cred_to_ucred()``: a peer that ended keeps its pid."""
    if sk.peer_cred is None:
        return struct.pack("<iII", 0, UINT_MAX, UINT_MAX)
    name, uid, gid = sk.peer_cred
    return struct.pack("<iII", kernel.pid_of(name), uid, gid)


def _peer_groups(sk: Sock, room: int) -> bytes:
    if sk.peer_cred is None:
        raise Errno("ENODATA")
    data = struct.pack(f"<{len(sk.peer_groups)}I", *sk.peer_groups)
    if room < len(data):
        raise Errno("ERANGE")
    return data


def _peername(kernel: Kernel, sock: Socket, room: int) -> bytes:
    assert sock.ops is not None
    try:
        name = sock.ops.getname(kernel, sock, 2)
    except Errno:
        raise Errno("ENOTCONN") from None
    if len(name) < room:
        raise Errno("EINVAL")
    return name[:room]


_BY_SUBJECT: Mapping[int, Callable[[Task, Sock, int, int], bytes]] = {
    **sockopt_timestamp.GETTERS,
    **sockopt_filter.GETTERS,
    **sockopt_busy_poll.GETTERS,
    **sockopt_transmit.GETTERS,
    **sockopt_memory.GETTERS,
    **sockopt_cookie.GETTERS,
}
