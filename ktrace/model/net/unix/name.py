"""Names of AF_UNIX sockets: abstract ones, paths, and those the kernel chooses (``net/unix/af_unix.c``)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from ktrace.model.kernel import Kernel
from ktrace.model.net.unix.path import unix_bind_bsd, unix_find_bsd
from ktrace.model.net.unix.sock import Unix
from ktrace.model.task import Errno, Task
from ktrace.state.rule import Rule
from ktrace.uapi.socket import AF_UNIX
from ktrace.uapi.un import SIZEOF_SOCKADDR_UN, SUN_PATH

if TYPE_CHECKING:
    from ktrace.model.observed import Observed

AUTOBIND = Rule("net/unix/af_unix.c", "unix_autobind", "any free name")


def family_of(addr: bytes) -> int:
    """Return ``sa_family``."""
    return int(struct.unpack_from("<H", addr.ljust(2, b"\0"))[0])


def unix_validate_addr(addr: bytes) -> None:
    """Refuse what is no AF_UNIX address (``unix_validate_addr()``).

    :raises Errno: EINVAL
    """
    if not SUN_PATH < len(addr) <= SIZEOF_SOCKADDR_UN or family_of(addr) != AF_UNIX:
        raise Errno("EINVAL")


def path_of(addr: bytes) -> bytes:
    """Return the path in an address, up to its NUL (``unix_mkname_bsd()``)."""
    return addr[SUN_PATH:].split(b"\0", 1)[0]


def unix_find_other(task: Task, addr: bytes, type_: int) -> Unix:
    """Return the socket that has a name (``unix_find_other()``).

    :raises Errno: ECONNREFUSED, EPROTOTYPE, or what the path walk says
    """
    if addr[SUN_PATH]:
        return unix_find_bsd(task, path_of(addr), type_)
    found = task.kernel.net.unix.table.by_name.get((type_, addr))
    if found is None:
        raise Errno("ECONNREFUSED")
    return found


def unix_autobind(kernel: Kernel, sk: Unix) -> None:
    """Give *sk* an abstract name of five hex digits that nobody has (``unix_autobind()``).

    The kernel starts at a random number: any free name is allowed.
    """
    if sk.addr is not None:
        return
    table = kernel.net.unix.table

    def free(path: Any) -> bool:
        return _is_autobind_name(path) and (sk.type, _address(path)) not in table.by_name

    number = 0
    while not free(b"\0%05x" % number):
        number += 1
    known = {other.addr for other in table.by_name.values()}

    def find(seen: Observed) -> bytes | None:
        """Find its name, or where it is gone already the one of that kind that nobody has in the model."""
        twin = seen.sock(sk)
        if twin is not None and twin.unix is not None:
            return twin.unix.addr
        paths = (value.unix.addr for value in seen.socks() if value.unix is not None)
        return next((path for path in paths if _is_autobind_name(path) and _address(path) not in known), None)

    chosen = kernel.choose(AUTOBIND, find, free, b"\0%05x" % number)
    sk.addr = _address(chosen)
    table.by_name[sk.type, sk.addr] = sk


def _address(path: Any) -> bytes:
    return struct.pack("<H", AF_UNIX) + bytes(path)


def _is_autobind_name(path: Any) -> bool:
    return (
        isinstance(path, bytes)
        and len(path) == 6
        and path[:1] == b"\0"
        and all(byte in b"0123456789abcdef" for byte in path[1:])
    )


def unix_bind_abstract(kernel: Kernel, sk: Unix, addr: bytes) -> None:
    """Give *sk* an abstract name (``unix_bind_abstract()``).

    :raises Errno: EINVAL where it has one, EADDRINUSE
    """
    if sk.addr is not None:
        raise Errno("EINVAL")
    table = kernel.net.unix.table
    if (sk.type, addr) in table.by_name:
        raise Errno("EADDRINUSE")
    sk.addr = addr
    table.by_name[sk.type, addr] = sk


def unix_bind(task: Task, sk: Unix, addr: bytes) -> int:
    """Give *sk* a name (``unix_bind()``)."""
    kernel = task.kernel
    if len(addr) == SUN_PATH and family_of(addr) == AF_UNIX:
        unix_autobind(kernel, sk)
        return 0
    unix_validate_addr(addr)
    if addr[SUN_PATH]:
        unix_bind_bsd(task, sk, path_of(addr))
    else:
        unix_bind_abstract(kernel, sk, addr)
    return 0
