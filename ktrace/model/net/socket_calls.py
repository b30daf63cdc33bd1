"""System calls that make, name and connect sockets, down to the family's own (``net/socket.c``)."""

from __future__ import annotations

from typing import Any

from ktrace.include.linux.net import SOCK_TYPE_MASK
from ktrace.include.linux.types import u32
from ktrace.model.calls import syscall
from ktrace.model.fs.file import fdget, fput
from ktrace.model.mm.iov import out_is_bad
from ktrace.model.net.core.sock import Socket
from ktrace.model.net.socket import (
    run,
    sock_alloc,
    sock_alloc_file,
    sock_create,
    sock_from_file,
    sock_install,
    sock_release,
    sockfd_lookup,
)
from ktrace.model.net.socket_address import address_to_kernel, address_to_user, address_wanted, no_address
from ktrace.model.task import Errno, Task
from ktrace.model.wait import Sleeps, drive
from ktrace.state.call import Pointer, Result
from ktrace.uapi.fcntl import O_CLOEXEC
from ktrace.uapi.socket import SOCK_CLOEXEC, SOCK_NONBLOCK


@syscall("socket")
def socket(task: Task, domain: int, type: int, protocol: int) -> int:
    """Make a socket (``__sys_socket()``, ``sock_map_fd()``)."""
    made, flags = _create(task, domain, type, protocol)
    try:
        fd = task.files.unused(task)
    except Errno:
        run(sock_release(task, made))
        raise
    sock_install(task, fd, sock_alloc_file(task, made, flags), bool(flags & O_CLOEXEC))
    return fd


def _create(task: Task, domain: int, type_: int, protocol: int) -> tuple[Socket, int]:
    """``__sys_socket_create()``."""
    flags = type_ & ~SOCK_TYPE_MASK
    if flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK):
        raise Errno("EINVAL")
    return sock_create(task, domain, type_ & SOCK_TYPE_MASK, protocol), flags


@syscall("socketpair")
def socketpair(task: Task, domain: int, type: int, protocol: int) -> Result:
    """Make two sockets and connect them (``__sys_socketpair()``)."""
    flags = type & ~SOCK_TYPE_MASK
    if flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK):
        raise Errno("EINVAL")
    cloexec = bool(flags & O_CLOEXEC)
    first = task.files.unused(task)
    second = task.files.unused(task, first + 1)
    if out_is_bad(task, "sv"):
        raise Errno("EFAULT")
    pair = [sock_create(task, domain, type & SOCK_TYPE_MASK, protocol)]
    try:
        pair.append(sock_create(task, domain, type & SOCK_TYPE_MASK, protocol))
        ops = pair[0].ops
        assert ops is not None
        ops.socketpair(task, pair[0], pair[1])
    except Errno:
        for made in reversed(pair):
            run(sock_release(task, made))
        raise
    try:
        files = [sock_alloc_file(task, pair[0], flags)]
    except Errno:
        run(sock_release(task, pair[1]))
        raise
    try:
        files.append(sock_alloc_file(task, pair[1], flags))
    except Errno:
        fput(task, files[0])
        raise
    for fd, file in zip((first, second), files, strict=True):
        sock_install(task, fd, file, cloexec)
    pointed = "sv" in (task.call.pointers if task.call is not None else {})
    return Result(0, None, {} if pointed else {"sv": (first, second)})


# -- names and connections -----------------------------------------------------------------------


@syscall("bind")
def bind(task: Task, sockfd: int, addr: Any, addrlen: int) -> Sleeps[int]:
    """Name a socket (``__sys_bind()``)."""
    with sockfd_lookup(task, sockfd) as sock:
        data = address_to_kernel(task, addr, addrlen)
        assert sock.ops is not None
        return (yield from drive(sock.ops.bind(task, sock, data)))


@syscall("listen")
def listen(task: Task, sockfd: int, backlog: int) -> Sleeps[int]:
    """Take connections, *backlog* at most wait (``__sys_listen()``)."""
    with sockfd_lookup(task, sockfd) as sock:
        somaxconn = task.kernel.net.setting("core/somaxconn")
        if u32(backlog) > somaxconn:
            backlog = somaxconn
        assert sock.ops is not None
        return (yield from drive(sock.ops.listen(task, sock, backlog)))


@syscall("connect")
def connect(task: Task, sockfd: int, addr: Any, addrlen: int) -> Sleeps[int]:
    """Connect to an address (``__sys_connect()``)."""
    with fdget(task, sockfd) as file:
        data = address_to_kernel(task, addr, addrlen)
        sock = sock_from_file(file)
        assert sock.ops is not None
        return (yield from drive(sock.ops.connect(task, sock, data, file.f_flags)))


@syscall("accept")
def accept(task: Task, sockfd: int, addrlen: int | Pointer) -> Sleeps[Result]:
    """Take a connection (``__sys_accept4()`` without flags)."""
    return accept4(task, sockfd, 0, addrlen)


@syscall("accept4")
def accept4(task: Task, sockfd: int, flags: int, addrlen: int | Pointer) -> Sleeps[Result]:
    """Take a connection (``__sys_accept4()``, ``do_accept()``)."""
    with fdget(task, sockfd) as file:
        if flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK):
            raise Errno("EINVAL")
        files = task.files
        fd = files.reserve(task, bool(flags & O_CLOEXEC))
        try:
            sock = sock_from_file(file)
            newsock = sock_alloc(task, sock.type)
            newsock.ops = sock.ops
            newfile = sock_alloc_file(task, newsock, flags)
            try:
                assert sock.ops is not None
                yield from drive(sock.ops.accept(task, sock, newsock, file.f_flags))
                if address_wanted(task):
                    try:
                        name = sock.ops.getname(task.kernel, newsock, 2)
                    except Errno:
                        raise Errno("ECONNABORTED") from None
                    out = address_to_user(task, name, addrlen)
                else:
                    out = no_address(task, addrlen)
            except Errno:
                fput(task, newfile)
                raise
        except Errno:
            files.reserved.pop(fd, None)
            raise
        sock_install(task, fd, newfile, bool(flags & O_CLOEXEC))
        return Result(fd, None, out)


@syscall("getsockname")
def getsockname(task: Task, sockfd: int, addrlen: int | Pointer) -> Result:
    """Tell a socket's own name (``__sys_getsockname()``)."""
    return _getname(task, sockfd, addrlen, 0)


@syscall("getpeername")
def getpeername(task: Task, sockfd: int, addrlen: int | Pointer) -> Result:
    """Tell the other end's name (``__sys_getpeername()``)."""
    return _getname(task, sockfd, addrlen, 1)


def _getname(task: Task, sockfd: int, addrlen: int | Pointer, peer: int) -> Result:
    with sockfd_lookup(task, sockfd) as sock:
        assert sock.ops is not None
        return Result(0, None, address_to_user(task, sock.ops.getname(task.kernel, sock, peer), addrlen))


@syscall("shutdown")
def shutdown(task: Task, sockfd: int, how: int) -> Sleeps[int]:
    """Close one direction or both (``__sys_shutdown()``)."""
    with sockfd_lookup(task, sockfd) as sock:
        assert sock.ops is not None
        return (yield from drive(sock.ops.shutdown(task, sock, how)))
