"""Sending and receiving, down to the family's own (``net/socket.c``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ktrace.include.linux.fs import MAX_RW_COUNT
from ktrace.include.linux.socket import MSG_CMSG_COMPAT, MSG_INTERNAL_SENDMSG_FLAGS
from ktrace.include.linux.types import s32, u64
from ktrace.model.calls import syscall
from ktrace.model.kernel import Kernel
from ktrace.model.mm.iov import destination, import_destination, import_source, is_bad, result_buffer, source
from ktrace.model.net.core.proto_ops import InMessage, OutMessage
from ktrace.model.net.core.sock import Socket, raise_sock_error
from ktrace.model.net.socket import sockfd_lookup
from ktrace.model.net.socket_address import address_to_kernel, address_to_user, address_wanted, no_address
from ktrace.model.task import Errno, Task
from ktrace.model.wait import Sleeps, drive
from ktrace.state.call import Pointer, Result
from ktrace.state.net.sockaddr import pack, unpack
from ktrace.uapi import errno
from ktrace.uapi.fcntl import O_NONBLOCK
from ktrace.uapi.limits import INT_MAX
from ktrace.uapi.socket import (
    MSG_CMSG_CLOEXEC,
    MSG_DONTWAIT,
    MSG_EOR,
    MSG_ERRQUEUE,
    MSG_OOB,
    MSG_WAITFORONE,
    SIZEOF_SOCKADDR_STORAGE,
)
from ktrace.uapi.uio import UIO_MAXIOV

CTL_ON_STACK = 36
"""Bytes of control messages that ``____sys_sendmsg()`` has room for itself."""


def _forbid_cmsg_compat(kernel: Kernel, flags: int) -> None:
    """Refuse MSG_CMSG_COMPAT, which is for 32-bit callers; a kernel without those ignores it."""
    if flags & MSG_CMSG_COMPAT and kernel.net.facts.compat:
        raise Errno("EINVAL")


def _file_flags(sock: Socket) -> int:
    return MSG_DONTWAIT if sock.file is not None and sock.file.f_flags & O_NONBLOCK else 0


@syscall("sendto")
def sendto(task: Task, sockfd: int, buf: Any, flags: int, dest_addr: Any, len: int, addrlen: int) -> Sleeps[int]:
    """Send bytes (``__sys_sendto()``)."""
    data = source(task, buf, min(u64(len), MAX_RW_COUNT))
    with sockfd_lookup(task, sockfd) as sock:
        name = None
        if dest_addr is not None and not (isinstance(dest_addr, Pointer) and dest_addr.value == 0):
            name = address_to_kernel(task, dest_addr, addrlen)
        flags = flags & ~MSG_INTERNAL_SENDMSG_FLAGS | _file_flags(sock)
        assert sock.ops is not None
        return (yield from drive(sock.ops.sendmsg(task, sock, OutMessage(data, flags, name))))


@syscall("recvfrom")
def recvfrom(task: Task, sockfd: int, len: int, flags: int, addrlen: int | Pointer) -> Sleeps[Result]:
    """Receive bytes and the sender's address (``__sys_recvfrom()``)."""
    to = destination(task, "buf", min(u64(len), MAX_RW_COUNT))
    with sockfd_lookup(task, sockfd) as sock:
        wanted = address_wanted(task)
        message = InMessage(to, wanted)
        assert sock.ops is not None
        value = yield from drive(sock.ops.recvmsg(task, sock, message, flags | _file_flags(sock)))
        out = result_buffer(task, "buf", to.data)
        out.update(address_to_user(task, message.name, addrlen) if wanted else no_address(task, addrlen))
        return Result(value, None, out)


@syscall("sendmsg")
def sendmsg(task: Task, sockfd: int, msg: Any, flags: int) -> Sleeps[int]:
    """Send a message (``__sys_sendmsg()``)."""
    _forbid_cmsg_compat(task.kernel, flags)
    with sockfd_lookup(task, sockfd) as sock:
        sent, _ = yield from _send_message(task, sock, msg, flags, 0)
        return sent


def _send_message(task: Task, sock: Socket, msg: Any, flags: int, allowed: int) -> Sleeps[tuple[int, int]]:
    """Return what was sent, and how many bytes nobody took (``___sys_sendmsg()``, ``____sys_sendmsg()``)."""
    if isinstance(msg, (Pointer, int)):
        raise Errno("EFAULT")
    name = None
    given = msg.get("msg_name")
    if given is not None and not (isinstance(given, Pointer) and given.value == 0):
        length = msg.get("msg_namelen", 16 if isinstance(given, Pointer) else _packed(given))
        if s32(length) < 0:
            raise Errno("EINVAL")
        name = address_to_kernel(task, given, min(length, SIZEOF_SOCKADDR_STORAGE)) or None
    iov = msg["msg_iov"]
    _check_iov(iov)
    data = import_source(task, iov, 1 if isinstance(iov, Pointer) else len(iov))
    control = msg.get("msg_control")
    length = msg.get("msg_controllen", 24 if isinstance(control, Pointer) else 0)
    if length > INT_MAX or (length > CTL_ON_STACK and length >= task.kernel.net.setting("core/optmem_max")):
        raise Errno("ENOBUFS")  # sock_kmalloc()
    if (control is None or isinstance(control, Pointer)) and length:
        raise Errno("EFAULT")
    control = None if isinstance(control, Pointer) else control
    flags = flags | msg.get("msg_flags", 0) & allowed
    flags = flags & ~MSG_INTERNAL_SENDMSG_FLAGS | _file_flags(sock)
    assert sock.ops is not None
    sent = yield from drive(
        sock.ops.sendmsg(task, sock, OutMessage(data, flags, name, control, msg.get("msg_controllen")))
    )
    return sent, data.count


def _packed(addr: Any) -> int:
    return len(pack(addr))


def _check_iov(iov: Any) -> None:
    if not isinstance(iov, Pointer) and len(iov) > UIO_MAXIOV:
        raise Errno("EMSGSIZE")


@syscall("sendmmsg")
def sendmmsg(task: Task, sockfd: int, msgvec: Any, flags: int, vlen: int) -> Sleeps[Result]:
    """Send several messages (``__sys_sendmmsg()``)."""
    _forbid_cmsg_compat(task.kernel, flags)
    with sockfd_lookup(task, sockfd) as sock:
        lengths: list[int] = []
        for index in range(min(vlen, UIO_MAXIOV)):
            try:
                message = _message(msgvec, index)
                sent, left = yield from _send_message(task, sock, message, flags, MSG_EOR)
            except Errno:
                if not lengths:
                    raise
                break
            lengths.append(sent)
            if sent < _total(message) or left:
                break  # msg_data_left(): a probe of UDP takes nothing
        return Result(len(lengths), None, {"msg_len": tuple(lengths)})


def _message(msgvec: Any, index: int) -> Any:
    """Return a header of an array: zeros lie behind those that are given."""
    if isinstance(msgvec, Pointer):
        return msgvec
    return msgvec[index] if index < len(msgvec) else {"msg_iov": (), "msg_namelen": 0, "msg_controllen": 0}


def _total(message: Any) -> int:
    return sum(_element_len(item) for item in message["msg_iov"])


def _element_len(item: Any) -> int:
    if isinstance(item, int):
        return item
    return int(item["iov_len"]) if isinstance(item, Mapping) else len(item)


@syscall("recvmsg")
def recvmsg(task: Task, sockfd: int, msg: Any, flags: int) -> Sleeps[Result]:
    """Receive a message (``__sys_recvmsg()``)."""
    _forbid_cmsg_compat(task.kernel, flags)
    with sockfd_lookup(task, sockfd) as sock:
        value, out, _ = yield from _receive_message(task, sock, msg, flags)
        return Result(value, None, out)


def _receive_message(task: Task, sock: Socket, msg: Any, flags: int) -> Sleeps[tuple[int, dict[str, Any], int]]:
    """``___sys_recvmsg()``, ``____sys_recvmsg()``; return value, out values and ``msg_flags``."""
    if isinstance(msg, (Pointer, int)):
        raise Errno("EFAULT")
    iov = msg["msg_iov"]
    _check_iov(iov)
    namelen, controllen = s32(msg["msg_namelen"]), msg["msg_controllen"]
    name_at = msg.get("msg_name")
    has_name = name_at.value != 0 if isinstance(name_at, Pointer) else namelen != 0
    if has_name and namelen < 0:
        raise Errno("EINVAL")
    to = import_destination(task, iov, 1 if isinstance(iov, Pointer) else len(iov))
    control_at = msg.get("msg_control")
    has_control = control_at.value != 0 if isinstance(control_at, Pointer) else controllen != 0
    message = InMessage(to, True, controllen=controllen if has_control else None, flags=flags & MSG_CMSG_CLOEXEC)
    assert sock.ops is not None
    value = yield from drive(sock.ops.recvmsg(task, sock, message, flags | _file_flags(sock)))
    out: dict[str, Any] = {}
    if not isinstance(iov, Pointer) and any(_owned(item) for item in iov):
        out["buf"] = bytes(to.data)
    told = namelen
    if has_name:
        if min(namelen, len(message.name)) and isinstance(name_at, Pointer) and is_bad(task, name_at):
            raise Errno("EFAULT")
        told = len(message.name)
        if name_at is None:
            out["msg_name"] = unpack(message.name[:namelen])
    out["msg_namelen"] = told
    if control_at is None:
        out["msg_control"] = tuple(message.control)
    out["msg_controllen"] = message.control_used
    out["msg_flags"] = message.flags
    return value, out, message.flags


def _owned(item: Any) -> bool:
    return isinstance(item, int) and item > 0


@syscall("recvmmsg")
def recvmmsg(task: Task, sockfd: int, msgvec: Any, flags: int, timeout: Any, vlen: int) -> Sleeps[Result]:
    """Receive several messages (``do_recvmmsg()``); a timeout counts between messages only."""
    _forbid_cmsg_compat(task.kernel, flags)
    if isinstance(timeout, Pointer):
        raise Errno("EFAULT")
    if timeout is not None and (timeout["tv_sec"] < 0 or not 0 <= timeout["tv_nsec"] < 10**9):
        raise Errno("EINVAL")
    with sockfd_lookup(task, sockfd) as sock:
        sk = sock.sk
        assert sk is not None
        if not flags & MSG_ERRQUEUE:
            raise_sock_error(sk)
        found: list[dict[str, Any]] = []
        error: Errno | None = None
        for index in range(vlen):
            try:
                message = _message(msgvec, index)
                value, out, seen = yield from _receive_message(task, sock, message, flags & ~MSG_WAITFORONE)
            except Errno as caught:
                error = caught
                break
            found.append({"msg_len": value, **out})
            if flags & MSG_WAITFORONE:
                flags |= MSG_DONTWAIT
            if timeout is not None and timeout["tv_sec"] == 0 and timeout["tv_nsec"] == 0:
                break
            if seen & MSG_OOB:
                break
        if error is not None and not found:
            raise error
        if error is not None and error.name != "EAGAIN":
            name = "EINTR" if error.name.startswith("ERESTART") else error.name
            sk.err = 512 if error.name == "ERESTARTSYS" else getattr(errno, name)
        return Result(len(found), None, {"msgvec": tuple(found[: len(msgvec)])})
