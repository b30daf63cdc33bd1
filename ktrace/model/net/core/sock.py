"""``struct socket`` and ``struct sock``: their life and their accounting (``net/core/sock.c``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import InitVar, dataclass, field
from typing import TYPE_CHECKING, Any

from ktrace.model.fs.fasync import FasyncList
from ktrace.model.net.core.skbuff import SkBuff
from ktrace.model.net.core.sock_callbacks import def_write_space
from ktrace.model.net.core.sockfs import SocketInode
from ktrace.model.task import Errno
from ktrace.model.wait import WaitQueue
from ktrace.state.allowed import Between, OneOf
from ktrace.state.net.skbuff import Buffer
from ktrace.state.ref import Ref
from ktrace.uapi.errno import errno_name
from ktrace.uapi.limits import ULONG_MAX
from ktrace.uapi.socket import MSG_PEEK

if TYPE_CHECKING:
    from ktrace.model.fs.file import File
    from ktrace.model.fs.inode import Inode
    from ktrace.model.kernel import Kernel
    from ktrace.model.net.core.proto_ops import ProtoOps


@dataclass(eq=False)
class Socket:
    """Mirror one ``struct socket``.

    :param inode: beside it in its ``struct socket_alloc`` (``SOCK_INODE()``)
    :param wq_flags: bits of ``wq.flags`` by name
    """

    key: int
    type: int
    uid: InitVar[int]
    gid: InitVar[int]
    inode: SocketInode = field(init=False)
    state: str = "SS_UNCONNECTED"
    flags: set[str] = field(default_factory=set)
    file: File | None = None
    sk: Sock | None = None
    ops: ProtoOps | None = None
    wq: WaitQueue = field(default_factory=WaitQueue)
    wq_flags: set[str] = field(default_factory=set)
    fasync_list: FasyncList = field(default_factory=list)

    def __post_init__(self, uid: int, gid: int) -> None:
        self.inode = SocketInode(self, uid, gid)

    @property
    def i_uid(self) -> int:
        """Return the owner of its inode."""
        return self.inode.i_uid

    @property
    def ref(self) -> Ref:
        """Return the raw reference of this socket."""
        return Ref("socket", self.key)


@dataclass(eq=False)
class Sock:
    """Mirror one ``struct sock``; families add their own part by deriving from it.

    :param state: ``TCP_CLOSE`` and the like
    :param wmem_alloc: ``sk_wmem_alloc``, 1 for the sock itself and the bytes in flight
    :param busy: options of busy polling, by number
    :param dst_cached: a route is kept (``sk_dst_cache``), as far as the family cares
    :param refcnt: ``sk_refcnt``, as far as the family counts it
    :param max_pacing_rate: bytes a second (SO_MAX_PACING_RATE)
    :param txrehash: SO_TXREHASH, ``None`` for the family's default
    :param txtime: SO_TXTIME's ``struct sock_txtime``
    :param cookie: SO_COOKIE, once somebody asked for it
    """

    key: int
    family: str
    prot: str
    protocol: int
    rcvbuf: int
    sndbuf: int
    type: int = 0
    state: str = "TCP_CLOSE"
    reuse: int = 0
    reuseport: int = 0
    bound_dev_if: int = 0
    rcvlowat: int = 1
    receive_queue: list[SkBuff] = field(default_factory=list)
    error_queue: list[SkBuff] = field(default_factory=list)
    rmem_alloc: int = 0
    wmem_alloc: int = 1
    peek_off: int = -1
    sndtimeo: int | None = None
    rcvtimeo: int | None = None
    priority: int = 0
    mark: int = 0
    userlocks: set[str] = field(default_factory=set)
    no_check_tx: int = 0
    lingertime: int | None = 0
    flags: set[str] = field(default_factory=set)
    busy: dict[int, int] = field(default_factory=dict)
    err: int = 0
    err_soft: int = 0
    ack_backlog: int = 0
    max_ack_backlog: int = 0
    uid: int = 0
    peer_cred: tuple[str, int, int] | None = None
    peer_groups: tuple[int, ...] = ()
    shutdown: int = 0
    socket: Socket | None = None
    wq: WaitQueue | None = None
    refcnt: int = 1
    write_space: Callable[[Kernel], None] | None = None
    dst_cached: bool = False
    destruct: Callable[[Kernel], None] | None = None
    max_pacing_rate: int = ULONG_MAX
    txrehash: int | None = None
    incoming_cpu: int = -1
    txtime: bytes = bytes(8)
    cookie: bytes | None = None

    @property
    def ref(self) -> Ref:
        """Return the raw reference of this sock."""
        return Ref("sock", self.key)

    def flag(self, name: str) -> bool:
        """Tell whether a SOCK_ flag is set (``sock_flag()``)."""
        return name in self.flags

    def set_flag(self, name: str, on: bool = True) -> None:
        """Set or reset a SOCK_ flag (``sock_valbool_flag()``)."""
        if on:
            self.flags.add(name)
        else:
            self.flags.discard(name)

    def call_write_space(self, kernel: Kernel) -> None:
        """Call ``sk_write_space``."""
        if self.write_space is not None:
            self.write_space(kernel)
        else:
            def_write_space(kernel, self)

    accounted = True
    """Whether its byte counts do not depend on how packets were merged (they do for TCP)."""

    def neighbours(self) -> Iterable[Sock]:
        """Return the socks that this one points at."""
        return (skb.sk for skb in self.receive_queue if skb.sk is not None)

    def view_state(self) -> str | OneOf:
        """Return ``sk_state`` as the World has it, or what it may be."""
        return self.state

    def dst_reset(self) -> None:
        """Forget the route (``sk_dst_reset()``)."""
        self.dst_cached = False

    def settled_parts(self, kernel: Kernel, parts: dict[str, Any]) -> dict[str, Any]:
        """Return *parts* of :meth:`view_parts`, whose open members are held against each other."""
        return parts

    def settle_buffers(self, kernel: Kernel) -> None:
        """Find out how large the buffers are now, where they grow by themselves."""

    def view_buffers(self, rmem_max: int, wmem_max: int) -> tuple[int | Between, int | Between]:
        """Return ``sk_rcvbuf`` and ``sk_sndbuf`` as the World has them, or what they may be."""
        return self.rcvbuf, self.sndbuf

    def inodes(self) -> Iterable[Inode]:
        """Return the inodes that this one points at."""
        return ()

    def view_receive_queue(self) -> tuple[Buffer, ...]:
        """Return the receive queue as the World has it."""
        return tuple(skb.view() for skb in self.receive_queue)

    def view_write_queue(self) -> tuple[Buffer, ...]:
        """Return what is not sent yet, as the World has it."""
        return ()

    def view_parts(self) -> dict[str, Any]:
        """Return the family's parts of ``state.socket.Sock``."""
        return {}

    def wmem_get(self) -> int:
        """Return the bytes in flight (``sk_wmem_alloc_get()``)."""
        return self.wmem_alloc - 1


def sock_error(sk: Sock) -> str | None:
    """Return the pending error's name and clear it (``include/net/sock.h: sock_error()``)."""
    if not sk.err:
        return None
    err, sk.err = sk.err, 0
    return errno_name(err)


def raise_sock_error(sk: Sock) -> None:
    """Fail with the pending error, if there is one."""
    name = sock_error(sk)
    if name is not None:
        raise Errno(name)


def sock_rcvlowat(sk: Sock, waitall: int, size: int) -> int:
    """Return how many bytes satisfy a reader (``sock_rcvlowat()``)."""
    low = size if waitall else min(sk.rcvlowat, size)
    return low or 1


def sock_graft(sk: Sock, parent: Socket) -> None:
    """Tie *sk* to an accepting socket (``include/net/sock.h: sock_graft()``)."""
    sk.wq = parent.wq
    parent.sk = sk
    sk.socket = parent
    sk.uid = parent.i_uid


def sock_orphan(sk: Sock) -> None:
    """Cut *sk* off its socket (``sock_orphan()``)."""
    sk.flags.add("SOCK_DEAD")
    sk.socket = None
    sk.wq = None


def sock_wfree(kernel: Kernel, skb: SkBuff) -> None:
    """Give a sent buffer's charge back and tell writers (``sock_wfree()``)."""
    sk = skb.sk
    assert sk is not None
    sk.wmem_alloc -= skb.truesize - 1
    sk.call_write_space(kernel)
    sk.wmem_alloc -= 1
    if sk.wmem_alloc == 0 and sk.destruct is not None:
        sk.destruct(kernel)


def sock_hold(sk: Sock) -> None:
    """Take a reference."""
    sk.refcnt += 1


def sock_put(kernel: Kernel, sk: Sock) -> None:
    """Drop a reference; the last one gives the sock's own share of ``sk_wmem_alloc`` back (``sk_free()``)."""
    sk.refcnt -= 1
    if sk.refcnt == 0:
        sk.wmem_alloc -= 1
        if sk.wmem_alloc == 0 and sk.destruct is not None:
            sk.destruct(kernel)


def sk_peek_offset(sk: Sock, flags: int) -> int:
    """Return where MSG_PEEK starts, -1 where SO_PEEK_OFF is off (``sk_peek_offset()``)."""
    return sk.peek_off if flags & MSG_PEEK else 0


def sk_peek_offset_bwd(sk: Sock, size: int) -> None:
    """Move SO_PEEK_OFF back by what was read (``sk_peek_offset_bwd()``)."""
    if sk.peek_off >= 0:
        sk.peek_off = max(sk.peek_off - size, 0)


def sk_peek_offset_fwd(sk: Sock, size: int) -> None:
    """Move SO_PEEK_OFF on by what was peeked at (``sk_peek_offset_fwd()``)."""
    if sk.peek_off >= 0:
        sk.peek_off += size
