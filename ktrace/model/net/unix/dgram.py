"""Packets between AF_UNIX sockets (``net/unix/af_unix.c``)."""

from __future__ import annotations

from ktrace.include.net.sock import RCV_SHUTDOWN
from ktrace.model.elapsed import this_step
from ktrace.model.net.core.datagram import ReceiveShutdown, skb_recv_datagram
from ktrace.model.net.core.proto_ops import InMessage, OutMessage
from ktrace.model.net.core.sock import (
    Socket,
    raise_sock_error,
    sk_peek_offset,
    sk_peek_offset_bwd,
    sk_peek_offset_fwd,
    sock_hold,
    sock_put,
)
from ktrace.model.net.core.sock_alloc import sock_alloc_send_pskb
from ktrace.model.net.core.sock_callbacks import POLL_WRITE, data_ready
from ktrace.model.net.core.sock_cmsg import net_timestamp, sock_recv_timestamp
from ktrace.model.net.core.sock_wait import Timeo, prepare_to_wait, sleeper, sock_intr_errno, sock_sndtimeo
from ktrace.model.net.unix.name import unix_autobind, unix_find_other, unix_validate_addr
from ktrace.model.net.unix.scm import (
    Scm,
    maybe_add_creds,
    scm_recv,
    scm_send,
    scm_stat_add,
    scm_stat_del,
    unix_detach_fds,
    unix_peek_fds,
    unix_scm_to_skb,
)
from ktrace.model.net.unix.skb import kfree_skb, unix_dgram_disconnected
from ktrace.model.net.unix.sock import (
    SCM_RIGHTS_FLAG,
    Unix,
    unix_dgram_peer_wake_disconnect_wakeup,
    unix_dgram_peer_wake_me,
    unix_sk,
)
from ktrace.model.task import Errno, Task
from ktrace.model.wait import Sleeps, wake_up
from ktrace.uapi.socket import MSG_DONTWAIT, MSG_OOB, MSG_PEEK, MSG_TRUNC, SOCK_SEQPACKET


def unix_wait_for_peer(task: Task, other: Unix, timeo: Timeo) -> Sleeps[None]:
    """Sleep, in turn, until *other* has room (``unix_wait_for_peer()``)."""
    entry = sleeper(task, exclusive=True)
    prepare_to_wait(other.peer_wait, entry)
    if not other.flag("SOCK_DEAD") and not other.shutdown & RCV_SHUTDOWN and other.recvq_full():
        yield from timeo.sleep(task)
    other.peer_wait.remove(entry)


def unix_dgram_sendmsg(task: Task, socket: Socket, msg: OutMessage) -> Sleeps[int]:
    """Queue one packet on its receiver (``unix_dgram_sendmsg()``)."""
    scm = scm_send(task, socket, msg)
    try:
        return (yield from DgramSender(task, socket, msg, scm).send())
    finally:
        scm.destroy(task)


def takes_rights(other: Unix) -> bool:
    """Tell whether *other* takes descriptors (``sk_scm_rights``), which SO_PASSRIGHTS may forbid."""
    return other.socket is None or SCM_RIGHTS_FLAG in other.socket.flags


class DgramSender:
    """One call that sends a packet."""

    def __init__(self, task: Task, socket: Socket, msg: OutMessage, scm: Scm) -> None:
        self.kernel = task.kernel
        self.task = task
        self.socket = socket
        self.sk = unix_sk(socket.sk)
        self.msg = msg
        self.scm = scm
        self.length = msg.source.count

    def send(self) -> Sleeps[int]:
        """Make the packet and queue it on its receiver."""
        kernel, task, sk, msg = self.kernel, self.task, self.sk, self.msg
        if msg.flags & MSG_OOB:
            raise Errno("EOPNOTSUPP")
        other: Unix | None = None
        late = bool(kernel.changes.unix_dgram_allocates_first)
        if msg.name:
            unix_validate_addr(msg.name)
        elif not late:
            other = sk.peer
            if other is None:
                raise Errno("ENOTCONN")
        if "SOCK_PASSCRED" in self.socket.flags and sk.addr is None:
            unix_autobind(kernel, sk)
        if self.length > sk.sndbuf - 32:
            raise Errno("EMSGSIZE")
        alloc = kernel.net.alloc
        data_len = 0
        if self.length > alloc.max_order(2):
            data_len = min(self.length - alloc.max_order(2), alloc.max_frags * alloc.page_size)
            data_len = alloc.page_align(data_len)
        skb = yield from sock_alloc_send_pskb(task, sk, self.length - data_len, data_len, msg.flags & MSG_DONTWAIT)
        try:
            unix_scm_to_skb(task, kernel, self.scm, skb, True)
            skb.linear = msg.source.copy_all()
            if late and not msg.name:
                other = sk.peer
                if other is None:
                    kernel.known_bug("unix-epollout-failed-send")
                    raise Errno("ENOTCONN")
            receiver = yield from self._receiver(other)
            if skb.fp and kernel.changes.scm_flags_in_sock and not takes_rights(receiver):
                raise Errno("EPERM")
        except Errno:
            kfree_skb(task, skb)
            raise
        maybe_add_creds(task, skb, self.socket, receiver)
        if receiver.flag("SOCK_RCVTSTAMP"):
            net_timestamp(kernel, skb)
        scm_stat_add(task, receiver, skb)
        receiver.receive_queue.append(skb)
        data_ready(kernel, receiver)
        return self.length

    def _receiver(self, other: Unix | None) -> Sleeps[Unix]:
        """Return the sock that takes the packet; wait for room there."""
        kernel, task, sk, msg = self.kernel, self.task, self.sk, self.msg
        timeo = sock_sndtimeo(sk, msg.flags & MSG_DONTWAIT)
        while True:
            if other is None:
                if not msg.name:
                    raise Errno("ECONNRESET")
                other = unix_find_other(task, msg.name, sk.type)
            if not sk.may_send(other):
                raise Errno("EPERM")
            if other.flag("SOCK_DEAD"):
                self._dead(other)
                other = None
                continue
            if other.shutdown & RCV_SHUTDOWN:
                raise Errno("EPIPE")
            if other is sk or other.peer is sk or not other.recvq_full():
                return other
            if timeo:
                sock_hold(other)
                yield from unix_wait_for_peer(task, other, timeo)
                sock_put(kernel, other)
                if task.signal_pending():
                    raise sock_intr_errno(timeo)
                continue
            if sk.peer is not other or unix_dgram_peer_wake_me(kernel, sk, other):
                raise Errno("EAGAIN")

    def _dead(self, other: Unix) -> None:
        """Refuse a receiver that was closed, unless the message names it anew (``restart_locked:``)."""
        kernel, sk = self.kernel, self.sk
        if sk.type == SOCK_SEQPACKET:
            raise Errno("EPIPE")
        if sk.peer is other:
            sk.peer = None
            unix_dgram_peer_wake_disconnect_wakeup(kernel, sk, other)
            sk.state = "TCP_CLOSE"
            unix_dgram_disconnected(self.task, sk, other)
            sock_put(kernel, other)
            raise Errno("ECONNREFUSED")


def unix_seqpacket_sendmsg(task: Task, socket: Socket, msg: OutMessage) -> Sleeps[int]:
    """Send over a connection (``unix_seqpacket_sendmsg()``)."""
    sk = unix_sk(socket.sk)
    raise_sock_error(sk)
    if sk.state != "TCP_ESTABLISHED":
        raise Errno("ENOTCONN")
    msg.name = None
    return (yield from unix_dgram_sendmsg(task, socket, msg))


def unix_seqpacket_recvmsg(task: Task, socket: Socket, msg: InMessage, flags: int) -> Sleeps[int]:
    """Receive over a connection (``unix_seqpacket_recvmsg()``)."""
    if unix_sk(socket.sk).state != "TCP_ESTABLISHED":
        raise Errno("ENOTCONN")
    return (yield from unix_dgram_recvmsg(task, socket, msg, flags))


def unix_dgram_recvmsg(task: Task, socket: Socket, msg: InMessage, flags: int) -> Sleeps[int]:
    """Receive one packet; what does not fit is lost (``__unix_dgram_recvmsg()``)."""
    kernel = task.kernel
    sk = unix_sk(socket.sk)
    if flags & MSG_OOB:
        raise Errno("EOPNOTSUPP")
    try:
        skb, skip = yield from skb_recv_datagram(task, sk, flags, sk_peek_offset(sk, flags))
    except ReceiveShutdown:
        return 0
    except Errno as error:
        # Signal EOF on disconnected non-blocking SEQPACKET socket.
        if sk.type == SOCK_SEQPACKET and error.name == "EAGAIN" and sk.shutdown & RCV_SHUTDOWN:
            return 0
        raise
    peeking = bool(flags & MSG_PEEK)
    if not peeking:
        scm_stat_del(kernel, sk, skb)
    wake_up(kernel, sk.peer_wait, 1, POLL_WRITE)
    if msg.wants_name and isinstance(skb.sk, Unix) and skb.sk.addr is not None:
        msg.name = skb.sk.addr
    size, rest = msg.destination.count, len(skb) - skip
    if size > rest:
        size = rest
    elif size < rest:
        msg.flags |= MSG_TRUNC
    try:
        if msg.destination.copy(skb.data[skip : skip + size]) < size:
            raise Errno("EFAULT")
        # One that came before its receiver asked for times is stamped now.
        sock_recv_timestamp(kernel, sk, msg, skb.since or this_step(kernel), skb)
        scm = Scm(skb.pid, skb.uid, skb.gid)
        if not peeking:
            if skb.fp:
                unix_detach_fds(scm, skb)
            sk_peek_offset_bwd(sk, len(skb))
        else:
            sk_peek_offset_fwd(sk, size)
            if skb.fp:
                unix_peek_fds(scm, skb)
        scm_recv(task, socket, msg, scm)
    finally:
        if not peeking:
            kfree_skb(task, skb)
    return rest if flags & MSG_TRUNC else size
