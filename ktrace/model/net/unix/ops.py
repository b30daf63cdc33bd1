"""The three ``proto_ops`` of AF_UNIX (``net/unix/af_unix.c``)."""

from __future__ import annotations

from ktrace.model.fs.file import File
from ktrace.model.fs.pipe.pipe import PipeInode
from ktrace.model.mm.page import Page
from ktrace.model.net.core.proto_ops import InMessage, OutMessage
from ktrace.model.net.core.sock import Socket, sock_hold, sock_put
from ktrace.model.net.socket import BUSY, IDLE_WORK, family
from ktrace.model.net.unix.base_ops import UnixOps, has_custom_sockopt, recv_mask
from ktrace.model.net.unix.connected import ConnectedOps
from ktrace.model.net.unix.dgram import (
    unix_dgram_recvmsg,
    unix_dgram_sendmsg,
    unix_seqpacket_recvmsg,
    unix_seqpacket_sendmsg,
)
from ktrace.model.net.unix.garbage import delayed_fput, is_busy, unix_gc
from ktrace.model.net.unix.name import family_of, unix_autobind, unix_find_other, unix_validate_addr
from ktrace.model.net.unix.skb import unix_dgram_disconnected
from ktrace.model.net.unix.sock import (
    Unix,
    unix_create1,
    unix_dgram_peer_wake_disconnect_wakeup,
    unix_sk,
)
from ktrace.model.net.unix.splice import unix_stream_sendpage, unix_stream_splice_read
from ktrace.model.net.unix.stream import unix_stream_sendmsg
from ktrace.model.net.unix.stream_read import unix_stream_recvmsg
from ktrace.model.task import Errno, Task
from ktrace.model.wait import Sleeps
from ktrace.uapi.eventpoll import (
    EPOLLERR,
    EPOLLHUP,
    EPOLLOUT,
    EPOLLPRI,
    EPOLLWRBAND,
    EPOLLWRNORM,
)
from ktrace.uapi.socket import AF_UNSPEC, PF_UNIX, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET, SOCK_STREAM
from ktrace.uapi.un import SUN_PATH


class StreamOps(ConnectedOps):
    """``unix_stream_ops``."""

    name = "unix_stream_ops"

    def sendmsg(self, task: Task, sock: Socket, msg: OutMessage) -> Sleeps[int]:
        """``unix_stream_sendmsg()``."""
        return unix_stream_sendmsg(task, sock, msg)

    def recvmsg(self, task: Task, sock: Socket, msg: InMessage, flags: int) -> Sleeps[int]:
        """``unix_stream_recvmsg()``."""
        return unix_stream_recvmsg(task, sock, msg, flags)

    def sendpage(self, task: Task, sock: Socket, page: Page, offset: int, size: int, flags: int) -> Sleeps[int]:
        """``unix_stream_sendpage()``."""
        return unix_stream_sendpage(task, sock, page, offset, size, flags)

    def splice_read(self, task: Task, sock: Socket, pipe: PipeInode, length: int, flags: int) -> Sleeps[int]:
        """``unix_stream_splice_read()``."""
        return unix_stream_splice_read(task, sock, pipe, length, flags)

    def poll(self, task: Task, file: File, sock: Socket) -> int:
        """``unix_poll()``."""
        sk = unix_sk(sock.sk)
        mask = EPOLLERR if sk.err else 0
        mask |= recv_mask(sk)
        if sk.oob_skb is not None:
            mask |= EPOLLPRI
        if sk.state == "TCP_CLOSE":
            mask |= EPOLLHUP
        if sk.writable(task.kernel):
            mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND
        return mask


class SeqpacketOps(ConnectedOps):
    """``unix_seqpacket_ops``."""

    name = "unix_seqpacket_ops"

    def sendmsg(self, task: Task, sock: Socket, msg: OutMessage) -> Sleeps[int]:
        """``unix_seqpacket_sendmsg()``."""
        return unix_seqpacket_sendmsg(task, sock, msg)

    def recvmsg(self, task: Task, sock: Socket, msg: InMessage, flags: int) -> Sleeps[int]:
        """``unix_seqpacket_recvmsg()``."""
        return unix_seqpacket_recvmsg(task, sock, msg, flags)


class DgramOps(UnixOps):
    """``unix_dgram_ops``."""

    name = "unix_dgram_ops"

    def connect(self, task: Task, sock: Socket, addr: bytes, flags: int) -> int:
        """Choose where packets go, or nowhere any more (``unix_dgram_connect()``)."""
        kernel = task.kernel
        sk = unix_sk(sock.sk)
        if len(addr) < SUN_PATH:
            raise Errno("EINVAL")
        other: Unix | None = None
        if family_of(addr) != AF_UNSPEC:
            unix_validate_addr(addr)
            if "SOCK_PASSCRED" in sock.flags and sk.addr is None:
                unix_autobind(kernel, sk)
            other = unix_find_other(task, addr, sock.type)
            if not sk.may_send(other):
                raise Errno("EPERM")
            sock_hold(other)
            sk.state = other.state = "TCP_ESTABLISHED"
        old, sk.peer = sk.peer, other
        if old is not None:
            if other is None:
                sk.state = "TCP_CLOSE"
            unix_dgram_peer_wake_disconnect_wakeup(kernel, sk, old)
            if other is not old:
                unix_dgram_disconnected(task, sk, old)
                if old.peer is None:
                    old.state = "TCP_CLOSE"
            sock_put(kernel, old)
        return 0

    def sendmsg(self, task: Task, sock: Socket, msg: OutMessage) -> Sleeps[int]:
        """``unix_dgram_sendmsg()``."""
        return unix_dgram_sendmsg(task, sock, msg)

    def recvmsg(self, task: Task, sock: Socket, msg: InMessage, flags: int) -> Sleeps[int]:
        """``unix_dgram_recvmsg()``."""
        return unix_dgram_recvmsg(task, sock, msg, flags)


UNIX_STREAM_OPS = StreamOps()
UNIX_DGRAM_OPS = DgramOps()
UNIX_SEQPACKET_OPS = SeqpacketOps()


@family("unix_create")
def unix_create(task: Task, socket: Socket, protocol: int) -> None:
    """Make an AF_UNIX socket (``unix_create()``)."""
    if protocol and protocol != PF_UNIX:
        raise Errno("EPROTONOSUPPORT")
    socket.state = "SS_UNCONNECTED"
    if socket.type == SOCK_RAW:
        socket.type = SOCK_DGRAM
    ops = {SOCK_STREAM: UNIX_STREAM_OPS, SOCK_DGRAM: UNIX_DGRAM_OPS, SOCK_SEQPACKET: UNIX_SEQPACKET_OPS}
    if socket.type not in ops:
        raise Errno("ESOCKTNOSUPPORT")
    socket.ops = ops[socket.type]
    if has_custom_sockopt(task.kernel, socket.type):
        socket.flags.add("SOCK_CUSTOM_SOCKOPT")
    unix_create1(task.kernel, socket, socket.type)


IDLE_WORK.extend((unix_gc, delayed_fput))
BUSY.append(is_busy)
