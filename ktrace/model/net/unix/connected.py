"""Sockets of AF_UNIX that listen, connect and accept (``net/unix/af_unix.c``: unix_stream_connect, unix_accept)."""

from __future__ import annotations

from ktrace.include.net.sock import RCV_SHUTDOWN
from ktrace.model.net.core.datagram import ReceiveShutdown, skb_recv_datagram
from ktrace.model.net.core.skbuff import SkBuff
from ktrace.model.net.core.sock import Socket, sock_graft, sock_hold, sock_put
from ktrace.model.net.core.sock_callbacks import data_ready
from ktrace.model.net.core.sock_wait import Timeo, sock_intr_errno, sock_sndtimeo
from ktrace.model.net.unix.base_ops import UnixOps, has_custom_sockopt
from ktrace.model.net.unix.dgram import (
    unix_wait_for_peer,
)
from ktrace.model.net.unix.name import unix_autobind, unix_find_other, unix_validate_addr
from ktrace.model.net.unix.skb import kfree_skb, unix_release_sock
from ktrace.model.net.unix.sock import (
    SCM_FLAGS,
    Unix,
    connected_state,
    init_peercred,
    unix_create1,
    unix_sk,
)
from ktrace.model.task import Errno, Task
from ktrace.model.wait import Sleeps, wake_up
from ktrace.uapi.fcntl import O_NONBLOCK
from ktrace.uapi.socket import MSG_DONTWAIT


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
        kernel = task.kernel
        if child.nr_fds:
            kernel.net.unix.graph.update(sk.vertex)  # unix_update_edges()
        child.listener = None
        newsock.state = connected_state(kernel)
        if kernel.changes.scm_flags_in_sock:
            newsock.flags |= child.inherited
        else:
            newsock.flags |= sock.flags & {"SOCK_PASSCRED", "SOCK_PASSSEC"}
        if has_custom_sockopt(kernel, child.type):
            newsock.flags.add("SOCK_CUSTOM_SOCKOPT")
        sock_graft(child, newsock)
        return 0
