"""What a sock tells who waits for it: ``sk_data_ready`` and the like (``net/core/sock.c``, ``net/socket.c``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktrace.include.linux.net import SOCK_WAKE_IO, SOCK_WAKE_SPACE, SOCK_WAKE_URG, SOCK_WAKE_WAITD
from ktrace.model.fs.fasync import kill_fasync, owners, permitted
from ktrace.model.wait import wake_up
from ktrace.uapi.eventpoll import (
    EPOLLERR,
    EPOLLIN,
    EPOLLOUT,
    EPOLLPRI,
    EPOLLRDBAND,
    EPOLLRDNORM,
    EPOLLWRBAND,
    EPOLLWRNORM,
)
from ktrace.uapi.siginfo import POLL_ERR, POLL_IN, POLL_OUT, POLL_PRI, SI_KERNEL
from ktrace.uapi.signal import SIGIO, SIGURG

if TYPE_CHECKING:
    from ktrace.model.kernel import Kernel
    from ktrace.model.net.core.sock import Sock


POLL_READ = EPOLLIN | EPOLLPRI | EPOLLRDNORM | EPOLLRDBAND
POLL_WRITE = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND


def sock_wake_async(kernel: Kernel, sk: Sock, how: int, band: int) -> None:
    """Send SIGIO or SIGURG to the owner of the file (``net/socket.c: sock_wake_async()``)."""
    socket = sk.socket
    if not sk.flag("SOCK_FASYNC") or socket is None or not socket.fasync_list:
        return
    if how == SOCK_WAKE_WAITD and "SOCKWQ_ASYNC_WAITDATA" in socket.wq_flags:
        return
    if how == SOCK_WAKE_SPACE:
        if "SOCKWQ_ASYNC_NOSPACE" not in socket.wq_flags:
            return
        socket.wq_flags.discard("SOCKWQ_ASYNC_NOSPACE")
    kill_fasync(kernel, socket.fasync_list, SIGURG if how == SOCK_WAKE_URG else SIGIO, band)


def send_sigurg(kernel: Kernel, sk: Sock) -> None:
    """Tell the owner of the file that there is an urgent byte (``sk_send_sigurg()``, ``fs/fcntl.c: send_sigurg()``)."""
    if sk.socket is None or sk.socket.file is None:
        return
    file = sk.socket.file
    if file.f_owner is None:
        return
    for owner in owners(kernel, file):
        if permitted(file, owner):
            kernel.send_signal(owner, "SIGURG", code=SI_KERNEL, thread=file.f_owner_type == "F_OWNER_TID")
    sock_wake_async(kernel, sk, SOCK_WAKE_URG, POLL_PRI)


def set_wq_bit(sk: Sock, name: str, on: bool = True) -> None:
    """Set a SOCKWQ_ bit, which only a socket with SIGIO keeps (``sk_set_bit()``, ``sk_clear_bit()``)."""
    if sk.socket is None or not sk.flag("SOCK_FASYNC"):
        return
    if on:
        sk.socket.wq_flags.add(name)
    else:
        sk.socket.wq_flags.discard(name)


def state_change(kernel: Kernel, sk: Sock) -> None:
    """``sock_def_wakeup()``."""
    if sk.wq is not None:
        wake_up(kernel, sk.wq, 0)


def data_ready(kernel: Kernel, sk: Sock) -> None:
    """``sock_def_readable()``."""
    if sk.wq is not None:
        wake_up(kernel, sk.wq, 1, POLL_READ)
    sock_wake_async(kernel, sk, SOCK_WAKE_WAITD, POLL_IN)


def error_report(kernel: Kernel, sk: Sock) -> None:
    """``sock_def_error_report()``."""
    if sk.wq is not None:
        wake_up(kernel, sk.wq, 1, EPOLLERR)
    sock_wake_async(kernel, sk, SOCK_WAKE_IO, POLL_ERR)


def def_write_space(kernel: Kernel, sk: Sock) -> None:
    """``sock_def_write_space()``: wake only where half of the buffer is free (``sock_writeable()``)."""
    if sk.wmem_alloc < sk.sndbuf >> 1:
        if sk.wq is not None:
            wake_up(kernel, sk.wq, 1, POLL_WRITE)
        sock_wake_async(kernel, sk, SOCK_WAKE_SPACE, POLL_OUT)
