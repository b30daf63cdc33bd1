"""Options of SOL_SOCKET that are programs: packet filters, and BPF without bpf() (``net/core/filter.c``)."""

from __future__ import annotations

import struct

from ktrace.include.linux.types import SIZEOF_INT
from ktrace.model.net.core.sock import Sock
from ktrace.model.task import Errno, Task
from ktrace.uapi.filter import SIZEOF_SOCK_FPROG, SKF_AD_MAX
from ktrace.uapi.socket import (
    SO_ATTACH_BPF,
    SO_ATTACH_FILTER,
    SO_ATTACH_REUSEPORT_CBPF,
    SO_ATTACH_REUSEPORT_EBPF,
    SO_BPF_EXTENSIONS,
    SO_DETACH_FILTER,
    SO_DETACH_REUSEPORT_BPF,
    SO_LOCK_FILTER,
)


def lock_filter(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    """Keep the filter from being changed; that cannot be taken back (SO_LOCK_FILTER in ``sk_setsockopt()``)."""
    if sk.flag("SOCK_FILTER_LOCKED") and not value:
        raise Errno("EPERM")
    sk.set_flag("SOCK_FILTER_LOCKED", value != 0)


def detach_filter(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    """Find no filter to take off (``sk_detach_filter()``)."""
    raise Errno("EPERM" if sk.flag("SOCK_FILTER_LOCKED") else "ENOENT")


def detach_reuseport_prog(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    """Find no program to take off (``reuseport_detach_prog()``)."""
    raise Errno("ENOENT" if sk.reuseport else "EINVAL")


def attach_filter(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    """Refuse what is no classic program (``copy_bpf_fprog_from_user()``)."""
    if len(data) != SIZEOF_SOCK_FPROG:
        raise Errno("EINVAL")
    raise NotImplementedError(f"the model does not know packet filters (SOL_SOCKET option {optname})")


def attach_bpf(task: Task, sk: Sock, optname: int, value: int, data: bytes) -> None:
    """Refuse programs of a kernel without bpf() (``sk_attach_bpf()``)."""
    if len(data) != SIZEOF_INT:
        raise Errno("EINVAL")
    raise Errno("EPERM" if sk.flag("SOCK_FILTER_LOCKED") else "EOPNOTSUPP")


def get_lock_filter(task: Task, sk: Sock, optname: int, room: int) -> bytes:
    """Tell whether the filter is locked."""
    return struct.pack("<I", sk.flag("SOCK_FILTER_LOCKED"))[:room]


def get_extensions(task: Task, sk: Sock, optname: int, room: int) -> bytes:
    """Tell which extensions a filter may use (``bpf_tell_extensions()``)."""
    return struct.pack("<I", SKF_AD_MAX)[:room]


def get_filter(task: Task, sk: Sock, optname: int, room: int) -> bytes:
    """Tell of no filter (``sk_get_filter()``)."""
    return b""


SETTERS = {
    SO_LOCK_FILTER: lock_filter, SO_DETACH_FILTER: detach_filter, SO_DETACH_REUSEPORT_BPF: detach_reuseport_prog,
    SO_ATTACH_FILTER: attach_filter, SO_ATTACH_REUSEPORT_CBPF: attach_filter, SO_ATTACH_BPF: attach_bpf,
    SO_ATTACH_REUSEPORT_EBPF: attach_bpf,
}  # fmt: skip
GETTERS = {
    SO_LOCK_FILTER: get_lock_filter,
    SO_BPF_EXTENSIONS: get_extensions,
    SO_ATTACH_FILTER: get_filter,  # SO_GET_FILTER has the same number
}
