"""AF_UNIX sockets: their life and their names (``net/unix/af_unix.c``)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ktrace.include.linux.net import SOCK_WAKE_SPACE
from ktrace.model.fs.inode import Inode
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.skbuff import SkBuff
from ktrace.model.net.core.sock import Sock, Socket, sock_hold
from ktrace.model.net.core.sock_callbacks import POLL_WRITE, sock_wake_async
from ktrace.model.task import Task
from ktrace.model.wait import WaitEntry, WaitQueue, waiters, wake_up
from ktrace.state.net.skbuff import Buffer
from ktrace.state.net.unix import UnixSock
from ktrace.uapi.siginfo import POLL_OUT
from ktrace.uapi.socket import SOCK_SEQPACKET, SOCK_STREAM
from ktrace.uapi.un import SUN_PATH

if TYPE_CHECKING:
    from ktrace.model.net.unix.graph import Vertex

SCM_RIGHTS_FLAG = "sk_scm_rights"
SCM_FLAGS = frozenset({"SOCK_PASSCRED", "SOCK_PASSSEC", "SOCK_PASSPIDFD", SCM_RIGHTS_FLAG})
"""What later kernels keep in the sock (``sk_scm_recv_flags``); descriptors are taken unless SO_PASSRIGHTS is off."""

CONNECTED_TYPES = (SOCK_STREAM, SOCK_SEQPACKET)


@dataclass(eq=False)
class Unix(Sock):
    """Mirror one ``struct unix_sock``.

    :param addr: the bound address as bytes of ``struct sockaddr_un``
    :param path: inode that a bound path made
    :param peer_wake: its own entry on the ``peer_wait`` of *peer_wake_at* (``unix_dgram_peer_wake_me()``)
    :param nr_fds: descriptors in its receive queue
    :param vertex: in the graph of what travels, while its own file does
    :param inq_len: bytes of a stream as later kernels count them (``unix_sock.inq_len``)
    :param inherited: flags of the listener that it was connected to, until it has a socket (``sk_scm_recv_flags``)
    """

    addr: bytes | None = None
    path: Inode | None = None
    peer: Unix | None = None
    listener: Unix | None = None
    peer_wait: WaitQueue = field(default_factory=WaitQueue)
    peer_wake: WaitEntry | None = None
    peer_wake_at: Unix | None = None
    nr_fds: int = 0
    vertex: Vertex | None = None
    oob_skb: SkBuff | None = None
    inq_len: int = 0
    inherited: frozenset[str] = frozenset()

    def neighbours(self) -> Iterable[Sock]:
        """Return the socks that this one points at."""
        yield from (skb.sk for skb in self.receive_queue if skb.sk is not None)
        if self.peer is not None:
            yield self.peer
        if self.listener is not None and not self.flag("SOCK_DEAD"):
            yield self.listener

    def inodes(self) -> Iterable[Inode]:
        """Return the inode of a bound path."""
        return () if self.path is None else (self.path,)

    def view_receive_queue(self) -> tuple[Buffer, ...]:
        """Return the receive queue with every ``UNIXCB()``."""
        return tuple(skb.view(unix=True) for skb in self.receive_queue)

    def view_parts(self) -> dict[str, Any]:
        """Return the part behind the ``struct sock``."""
        listener = None if self.flag("SOCK_DEAD") else self.listener
        oob = next((index for index, skb in enumerate(self.receive_queue) if skb is self.oob_skb), None)
        return {
            "unix": UnixSock(
                addr=self.addr[SUN_PATH:] if self.addr is not None else None,
                path=self.path.ref if self.path is not None else None,
                peer=self.peer.ref if self.peer is not None else None,
                listener=listener.ref if listener is not None else None,
                peer_wait=waiters(self.peer_wait),
                nr_fds=self.nr_fds,
                oob=oob,
            )
        }

    def recvq_full(self) -> bool:
        """Tell whether senders must wait (``unix_recvq_full_lockless()``)."""
        return len(self.receive_queue) > self.max_ack_backlog

    def may_send(self, other: Unix) -> bool:
        """Tell whether *other* takes datagrams from this one (``unix_may_send()``)."""
        return other.peer is None or other.peer is self

    def writable(self, kernel: Kernel) -> bool:
        """Tell whether a quarter of the send buffer is not in flight (``unix_writable()``)."""
        return self.state != "TCP_LISTEN" and self.wmem_alloc << 2 <= self.sndbuf


def unix_sk(sk: Sock | None) -> Unix:
    """Return *sk*, which is one of AF_UNIX (``unix_sk()``)."""
    assert isinstance(sk, Unix)
    return sk


def unix_write_space(kernel: Kernel, sk: Unix) -> None:
    """Tell writers that there is room (``unix_write_space()``)."""
    if sk.writable(kernel):
        if sk.wq is not None:
            wake_up(kernel, sk.wq, 1, POLL_WRITE)
        sock_wake_async(kernel, sk, SOCK_WAKE_SPACE, POLL_OUT)


def unix_create1(kernel: Kernel, socket: Socket | None, type_: int) -> Unix:
    """Make the sock of a socket, or of a connection that nobody accepted yet (``unix_create1()``)."""
    own = kernel.net
    sk = Unix(
        kernel.serial(),
        "AF_UNIX",
        "unix_stream_proto" if type_ == SOCK_STREAM else "unix_dgram_proto",
        0,
        own.setting("core/rmem_default"),
        own.setting("core/wmem_default"),
        flags={"SOCK_ZAPPED"},
        max_ack_backlog=own.setting("unix/max_dgram_qlen"),
    )
    sk.write_space = lambda kernel: unix_write_space(kernel, sk)
    if socket is not None:
        sk.type = socket.type
        sk.wq = socket.wq
        sk.uid = socket.i_uid
        sk.socket = socket
        socket.sk = sk
        if kernel.changes.scm_flags_in_sock:
            socket.flags.add(SCM_RIGHTS_FLAG)
    return sk


def unix_skb_len(skb: SkBuff) -> int:
    """Return the bytes of *skb* that no reader took (``unix_skb_len()``)."""
    return len(skb) - skb.consumed


def unix_dgram_peer_wake_disconnect(sk: Unix, other: Unix) -> None:
    """Take the entry of *sk* off the queue of *other* (``unix_dgram_peer_wake_disconnect()``)."""
    if sk.peer_wake_at is other and sk.peer_wake is not None:
        other.peer_wait.remove(sk.peer_wake)
        sk.peer_wake_at = None


def unix_dgram_peer_wake_disconnect_wakeup(kernel: Kernel, sk: Unix, other: Unix) -> None:
    """Leave the queue of *other* and wake writers of *sk* (``unix_dgram_peer_wake_disconnect_wakeup()``)."""
    unix_dgram_peer_wake_disconnect(sk, other)
    if sk.wq is not None:
        wake_up(kernel, sk.wq, 1, POLL_WRITE)


def unix_dgram_peer_wake_me(kernel: Kernel, sk: Unix, other: Unix) -> bool:
    """Queue *sk* for the moment when *other* has room; tell whether it has none now (``unix_dgram_peer_wake_me()``)."""
    connected = False
    if sk.peer_wake_at is None:
        entry = WaitEntry(None, False, kind="unix_dgram_peer_wake_relay")

        def relay(key: int) -> bool:
            other.peer_wait.remove(entry)
            sk.peer_wake_at = None
            if sk.wq is not None:
                wake_up(kernel, sk.wq, 1, key)
            return False

        entry.func = relay
        sk.peer_wake, sk.peer_wake_at = entry, other
        other.peer_wait.add(entry)
        connected = True
    if other.recvq_full() and not other.flag("SOCK_DEAD"):
        return True
    if connected:
        unix_dgram_peer_wake_disconnect(sk, other)
    return False


def connected_state(kernel: Kernel) -> str:
    """Return the ``socket.state`` of a connected socket, which later kernels leave as it was."""
    return "SS_UNCONNECTED" if kernel.changes.unix_socket_state else "SS_CONNECTED"


def init_peercred(task: Task, sk: Unix) -> None:
    """Record the credentials of the caller (``init_peercred()``)."""
    sk.peer_cred = (task.process.name, task.cred.euid, task.cred.egid)
    sk.peer_groups = tuple(sorted(task.cred.groups))


def unix_socketpair(task: Task, first: Unix, second: Unix) -> None:
    """Join two socks back to back (``unix_socketpair()``)."""
    sock_hold(first)
    sock_hold(second)
    first.peer, second.peer = second, first
    for sk in (first, second):
        init_peercred(task, sk)
        sk.state = "TCP_ESTABLISHED"
        assert sk.socket is not None
        sk.socket.state = connected_state(task.kernel)
