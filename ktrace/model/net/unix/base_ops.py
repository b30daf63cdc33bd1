"""What sockets of AF_UNIX of all types do alike (``net/unix/af_unix.c``)."""

from __future__ import annotations

import struct
from typing import Any

from ktrace.include.linux.net import SOCK_WAKE_WAITD
from ktrace.include.net.sock import RCV_SHUTDOWN, SEND_SHUTDOWN, SHUTDOWN_MASK
from ktrace.model.fs.file import File
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.proto_ops import ProtoOps
from ktrace.model.net.core.sock import Socket
from ktrace.model.net.core.sock_callbacks import POLL_WRITE, set_wq_bit, sock_wake_async, state_change
from ktrace.model.net.unix.name import unix_bind
from ktrace.model.net.unix.skb import unix_release_sock
from ktrace.model.net.unix.sock import (
    CONNECTED_TYPES,
    Unix,
    unix_dgram_peer_wake_me,
    unix_sk,
    unix_skb_len,
    unix_socketpair,
)
from ktrace.model.task import Errno, Task
from ktrace.state.call import Result
from ktrace.uapi.eventpoll import (
    EPOLLERR,
    EPOLLHUP,
    EPOLLIN,
    EPOLLOUT,
    EPOLLRDHUP,
    EPOLLRDNORM,
    EPOLLWRBAND,
    EPOLLWRNORM,
)
from ktrace.uapi.siginfo import POLL_HUP, POLL_IN
from ktrace.uapi.socket import PF_UNIX, SOCK_SEQPACKET, SOCK_STREAM
from ktrace.uapi.sockios import SIOCATMARK, SIOCINQ, SIOCOUTQ
from ktrace.uapi.un import SIOCUNIXFILE


class UnixOps(ProtoOps):
    """What all three have in common."""

    family = PF_UNIX

    def has_peek_off(self, kernel: Kernel) -> bool:
        """They have."""
        return True

    def release(self, task: Task, sock: Socket) -> None:
        """``unix_release()``."""
        if sock.sk is not None:
            unix_release_sock(task, unix_sk(sock.sk), False)
            sock.sk = None

    def bind(self, task: Task, sock: Socket, addr: bytes) -> int:
        """``unix_bind()``."""
        return unix_bind(task, unix_sk(sock.sk), addr)

    def socketpair(self, task: Task, first: Socket, second: Socket) -> int:
        """``unix_socketpair()``."""
        unix_socketpair(task, unix_sk(first.sk), unix_sk(second.sk))
        return 0

    def getname(self, kernel: Kernel, sock: Socket, peer: int) -> bytes:
        """``unix_getname()``."""
        sk = unix_sk(sock.sk).peer if peer else unix_sk(sock.sk)
        if sk is None:
            raise Errno("ENOTCONN")
        return sk.addr if sk.addr is not None else struct.pack("<H", PF_UNIX)

    def shutdown(self, task: Task, sock: Socket, how: int) -> int:
        """``unix_shutdown()``."""
        kernel = task.kernel
        if not 0 <= how <= 2:
            raise Errno("EINVAL")
        mode = how + 1
        sk = unix_sk(sock.sk)
        sk.shutdown |= mode
        other = sk.peer
        state_change(kernel, sk)
        if other is not None and sk.type in CONNECTED_TYPES:
            peer_mode = (SEND_SHUTDOWN if mode & RCV_SHUTDOWN else 0) | (RCV_SHUTDOWN if mode & SEND_SHUTDOWN else 0)
            other.shutdown |= peer_mode
            state_change(kernel, other)
            if peer_mode == SHUTDOWN_MASK:
                sock_wake_async(kernel, other, SOCK_WAKE_WAITD, POLL_HUP)
            elif peer_mode & RCV_SHUTDOWN:
                sock_wake_async(kernel, other, SOCK_WAKE_WAITD, POLL_IN)
        return 0

    def ioctl(self, task: Task, sock: Socket, cmd: int, arg: Any) -> Result:
        """``unix_ioctl()``."""
        sk = unix_sk(sock.sk)
        if cmd == SIOCOUTQ:
            return Result(0, None, {"arg": sk.wmem_get()})
        if cmd == SIOCINQ:
            return Result(0, None, {"arg": self._inq_len(task.kernel, sk)})
        if cmd == SIOCUNIXFILE:
            # unix_open_file()
            if not task.cred.capable("CAP_NET_ADMIN"):
                raise Errno("EPERM")
            if sk.path is None:
                raise Errno("ENOENT")
            raise NotImplementedError("the model does not know SIOCUNIXFILE, which opens the file of a name")
        if cmd == SIOCATMARK and task.kernel.net.facts.oob:
            if sk.type != SOCK_STREAM:
                raise Errno("EOPNOTSUPP")
            return Result(0, None, {"arg": int(self._at_mark(task.kernel, sk))})
        raise Errno("ENOIOCTLCMD")

    def _at_mark(self, kernel: Kernel, sk: Unix) -> bool:
        """Tell whether the next byte is the one out of band; later kernels look past one that was read."""
        queue = sk.receive_queue
        if not queue:
            return False
        if queue[0] is sk.oob_skb:
            return True
        if not kernel.changes.unix_oob_holes or unix_skb_len(queue[0]):
            return False
        return sk.oob_skb is None or (len(queue) > 1 and queue[1] is sk.oob_skb)

    def _inq_len(self, kernel: Kernel, sk: Unix) -> int:
        """``unix_inq_len()``; on later kernels a stream's is a count that is kept."""
        if sk.state == "TCP_LISTEN":
            raise Errno("EINVAL")
        if sk.type == SOCK_STREAM and kernel.changes.unix_inq_len:
            if sk.inq_len != sum(unix_skb_len(skb) for skb in sk.receive_queue):
                kernel.known_bug("unix-fionread-oob")
            return sk.inq_len
        if sk.type in CONNECTED_TYPES:
            return sum(unix_skb_len(skb) for skb in sk.receive_queue)
        return len(sk.receive_queue[0]) if sk.receive_queue else 0

    def set_peek_off(self, kernel: Kernel, sock: Socket, value: int) -> None:
        """``unix_set_peek_off()``."""
        unix_sk(sock.sk).peek_off = value

    def poll(self, task: Task, file: File, sock: Socket) -> int:
        """``unix_dgram_poll()``, of packets in order as well."""
        kernel = task.kernel
        sk = unix_sk(sock.sk)
        mask = EPOLLERR if sk.err or sk.error_queue else 0
        mask |= recv_mask(sk)
        if sk.type == SOCK_SEQPACKET and sk.state == "TCP_CLOSE":
            mask |= EPOLLHUP
        if not task.poll_key & POLL_WRITE:
            return mask  # poll_requested_events(): no write status wanted
        writable = sk.writable(kernel)
        other = sk.peer
        if writable and other is not None and other.peer is not sk and other.recvq_full():
            writable = not unix_dgram_peer_wake_me(kernel, sk, other)
        if writable:
            mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND
        else:
            set_wq_bit(sk, "SOCKWQ_ASYNC_NOSPACE")
        return mask


def recv_mask(sk: Unix) -> int:
    """Return what there is to read, and that nothing will come (``unix_poll()``)."""
    mask = 0
    if sk.shutdown == SHUTDOWN_MASK:
        mask |= EPOLLHUP
    if sk.shutdown & RCV_SHUTDOWN:
        mask |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM
    if sk.receive_queue:
        mask |= EPOLLIN | EPOLLRDNORM
    return mask


def has_custom_sockopt(kernel: Kernel, kind: int) -> bool:
    """Tell whether sockets of type *kind* have options of their own (``unix_create()``, ``unix_accept()``)."""
    changes = kernel.changes
    return bool(changes.unix_custom_sockopt or (changes.unix_stream_custom_sockopt and kind == SOCK_STREAM))
