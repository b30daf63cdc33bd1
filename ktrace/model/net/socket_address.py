"""Addresses between a call and the kernel (``net/socket.c``)."""

from __future__ import annotations

from typing import Any

from ktrace.include.linux.types import s32
from ktrace.model.mm.iov import is_bad
from ktrace.model.task import Errno, Task
from ktrace.state.call import Pointer
from ktrace.state.net.sockaddr import pack, unpack
from ktrace.uapi.socket import SIZEOF_SOCKADDR_STORAGE


def address_to_kernel(task: Task, addr: Any, addrlen: int) -> bytes:
    """Return the bytes of an address that a call gives (``move_addr_to_kernel()``).

    :raises Errno: EINVAL for a length that cannot be, EFAULT
    """
    addrlen = s32(addrlen)
    if not 0 <= addrlen <= SIZEOF_SOCKADDR_STORAGE:
        raise Errno("EINVAL")
    if addrlen == 0:
        return b""
    if addr is None or isinstance(addr, (Pointer, int)):
        raise Errno("EFAULT")
    return pack(addr)[:addrlen].ljust(addrlen, b"\0")


def address_to_user(task: Task, data: bytes, addrlen: int | Pointer) -> dict[str, Any]:
    """Return what a call reports of an address (``move_addr_to_user()``).

    :raises Errno: EFAULT, EINVAL
    """
    pointer = task.call.pointers.get("addr") if task.call is not None else None
    if isinstance(addrlen, Pointer):
        if is_bad(task, addrlen):
            raise Errno("EFAULT")
        room = 0
    else:
        room = s32(addrlen)
    length = min(room, len(data))
    if length < 0:
        raise Errno("EINVAL")
    if length and pointer is not None and is_bad(task, pointer):
        raise Errno("EFAULT")
    out: dict[str, Any] = {}
    if pointer is None:
        out["addr"] = unpack(data[:length])
    if not isinstance(addrlen, Pointer):
        out["addrlen"] = len(data)
    return out


def address_wanted(task: Task) -> bool:
    """Tell whether the call gave an address buffer that is not NULL."""
    pointer = task.call.pointers.get("addr") if task.call is not None else None
    return pointer is None or pointer.value != 0


def no_address(task: Task, addrlen: int | Pointer) -> dict[str, Any]:
    """Return what is reported where no address was asked for: the length as it was given."""
    return {} if isinstance(addrlen, Pointer) else {"addrlen": s32(addrlen)}
