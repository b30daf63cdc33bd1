"""The three ``proto_ops`` of AF_UNIX (``net/unix/af_unix.c``)."""

from __future__ import annotations

import struct
from typing import Any

from ktrace.include.linux.net import SOCK_WAKE_WAITD
from ktrace.include.net.sock import RCV_SHUTDOWN, SEND_SHUTDOWN, SHUTDOWN_MASK
from ktrace.model.fs.file import File
from ktrace.model.fs.pipe.pipe import PipeInode
from ktrace.model.kernel import Kernel
from ktrace.model.mm.page import Page
from ktrace.model.net.core.datagram import ReceiveShutdown, skb_recv_datagram
from ktrace.model.net.core.proto_ops import InMessage, OutMessage, ProtoOps
from ktrace.model.net.core.skbuff import SkBuff
from ktrace.model.net.core.sock import Socket, sock_graft, sock_hold, sock_put
from ktrace.model.net.core.sock_callbacks import POLL_WRITE, data_ready, set_wq_bit, sock_wake_async, state_change
from ktrace.model.net.core.sock_wait import Timeo, sock_intr_errno, sock_sndtimeo
from ktrace.model.net.socket import BUSY, IDLE_WORK, family
from ktrace.model.net.unix.dgram import (
    unix_dgram_recvmsg,
    unix_dgram_sendmsg,
    unix_seqpacket_recvmsg,
    unix_seqpacket_sendmsg,
    unix_wait_for_peer,
)
from ktrace.model.net.unix.garbage import delayed_fput, is_busy, unix_gc
from ktrace.model.net.unix.name import family_of, unix_autobind, unix_bind, unix_find_other, unix_validate_addr
from ktrace.model.net.unix.skb import kfree_skb, unix_dgram_disconnected, unix_release_sock
from ktrace.model.net.unix.sock import (
    CONNECTED_TYPES,
    SCM_FLAGS,
    Unix,
    connected_state,
    init_peercred,
    unix_create1,
    unix_dgram_peer_wake_disconnect_wakeup,
    unix_dgram_peer_wake_me,
    unix_sk,
    unix_skb_len,
    unix_socketpair,
)
from ktrace.model.net.unix.splice import unix_stream_sendpage, unix_stream_splice_read
from ktrace.model.net.unix.stream import unix_stream_recvmsg, unix_stream_sendmsg
from ktrace.model.task import Errno, Task
from ktrace.model.wait import Sleeps, wake_up
from ktrace.state.call import Result
from ktrace.uapi.eventpoll import (
    EPOLLERR,
    EPOLLHUP,
    EPOLLIN,
    EPOLLOUT,
    EPOLLPRI,
    EPOLLRDHUP,
    EPOLLRDNORM,
    EPOLLWRBAND,
    EPOLLWRNORM,
)
from ktrace.uapi.fcntl import O_NONBLOCK
from ktrace.uapi.siginfo import POLL_HUP, POLL_IN
from ktrace.uapi.socket import AF_UNSPEC, MSG_DONTWAIT, PF_UNIX, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET, SOCK_STREAM
from ktrace.uapi.sockios import SIOCATMARK, SIOCINQ, SIOCOUTQ
from ktrace.uapi.un import SIOCUNIXFILE, SUN_PATH


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
        mask |= _recv_mask(sk)
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


def _recv_mask(sk: Unix) -> int:
    mask = 0
    if sk.shutdown == SHUTDOWN_MASK:
        mask |= EPOLLHUP
    if sk.shutdown & RCV_SHUTDOWN:
        mask |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM
    if sk.receive_queue:
        mask |= EPOLLIN | EPOLLRDNORM
    return mask


class ConnectedOps(UnixOps):
    """What stream and seqpacket sockets share: they listen, connect and accept."""

    def listen(self, task: Task, sock: Socket, backlog: int) -> int:
        """``unix_listen()``."""
        sk = unix_sk(sock.sk)
        if sk.addr is None or sk.state not in ("TCP_CLOSE", "TCP_LISTEN"):
            raise Errno("EINVAL")
        if backlog > sk.max_ack_backlog:
            wake_up(task.kernel, sk.peer_wait, 0)
        sk.max_ack_backlog = backlog
        sk.state = "TCP_LISTEN"
        init_peercred(task, sk)
        return 0

    def connect(self, task: Task, sock: Socket, addr: bytes, flags: int) -> Sleeps[int]:
        """Put an embryo on the listener's queue (``unix_stream_connect()``)."""
        kernel = task.kernel
        sk = unix_sk(sock.sk)
        unix_validate_addr(addr)
        if "SOCK_PASSCRED" in sock.flags and sk.addr is None:
            unix_autobind(kernel, sk)
        timeo = sock_sndtimeo(sk, flags & O_NONBLOCK)
        newsk = unix_create1(kernel, None, sock.type)
        alloc = kernel.net.alloc
        skb = SkBuff(b"", 0, alloc.truesize(1), newsk)
        newsk.wmem_alloc += skb.truesize
        try:
            other = yield from self._listener(task, sk, addr, timeo)
            if sk.state != "TCP_CLOSE":
                raise Errno("EISCONN" if sk.state == "TCP_ESTABLISHED" else "EINVAL")
        except Errno:
            kfree_skb(task, skb)
            unix_release_sock(task, newsk, False)
            raise
        sock_hold(sk)
        newsk.peer = sk
        newsk.state = "TCP_ESTABLISHED"
        newsk.type = sk.type
        init_peercred(task, newsk)
        newsk.listener = other
        if kernel.changes.scm_flags_in_sock and other.socket is not None:
            newsk.inherited = frozenset(other.socket.flags & SCM_FLAGS)
        newsk.wq = newsk.peer_wait
        if other.path is not None:
            other.path.count += 1
            newsk.path = other.path
        newsk.addr = other.addr
        sk.peer_cred, sk.peer_groups = other.peer_cred, other.peer_groups
        sock.state = connected_state(kernel)
        sk.state = "TCP_ESTABLISHED"
        sock_hold(newsk)
        sk.peer = newsk
        other.receive_queue.append(skb)
        data_ready(kernel, other)
        return 0

    def _listener(self, task: Task, sk: Unix, addr: bytes, timeo: Timeo) -> Sleeps[Unix]:
        """Return the listener at *addr*, once there is room on its queue."""
        while True:
            other = unix_find_other(task, addr, sk.type)
            if other.state != "TCP_LISTEN" or other.shutdown & RCV_SHUTDOWN:
                raise Errno("ECONNREFUSED")
            if not other.recvq_full():
                return other
            if not timeo:
                raise Errno("EAGAIN")
            sock_hold(other)
            yield from unix_wait_for_peer(task, other, timeo)
            sock_put(task.kernel, other)
            if task.signal_pending():
                raise sock_intr_errno(timeo)

    def accept(self, task: Task, sock: Socket, newsock: Socket, flags: int) -> Sleeps[int]:
        """Take the oldest embryo (``unix_accept()``)."""
        sk = unix_sk(sock.sk)
        if sk.state != "TCP_LISTEN":
            raise Errno("EINVAL")
        try:
            skb, _ = yield from skb_recv_datagram(task, sk, MSG_DONTWAIT if flags & O_NONBLOCK else 0)
        except ReceiveShutdown:
            raise Errno("EINVAL") from None
        child = skb.sk
        assert isinstance(child, Unix)
        kfree_skb(task, skb)
        wake_up(task.kernel, sk.peer_wait, 1)
        child.listener = None
        kernel = task.kernel
        newsock.state = connected_state(kernel)
        if kernel.changes.scm_flags_in_sock:
            newsock.flags |= child.inherited
        else:
            newsock.flags |= sock.flags & {"SOCK_PASSCRED", "SOCK_PASSSEC"}
        if _custom_sockopt(kernel, child.type):
            newsock.flags.add("SOCK_CUSTOM_SOCKOPT")
        sock_graft(child, newsock)
        return 0


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
        mask |= _recv_mask(sk)
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
    if _custom_sockopt(task.kernel, socket.type):
        socket.flags.add("SOCK_CUSTOM_SOCKOPT")
    unix_create1(task.kernel, socket, socket.type)


def _custom_sockopt(kernel: Kernel, kind: int) -> bool:
    """Tell whether sockets of type *kind* have options of their own (``unix_create()``, ``unix_accept()``)."""
    changes = kernel.changes
    return bool(changes.unix_custom_sockopt or (changes.unix_stream_custom_sockopt and kind == SOCK_STREAM))


IDLE_WORK.extend((unix_gc, delayed_fput))
BUSY.append(is_busy)
