"""``struct socket`` and ``struct sock``: their life, their callbacks, their accounting (``net/core/sock.c``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import InitVar, dataclass, field
from typing import TYPE_CHECKING, Any

from ktrace.include.linux.net import SOCK_WAKE_IO, SOCK_WAKE_SPACE, SOCK_WAKE_URG, SOCK_WAKE_WAITD
from ktrace.model.fs.fasync import FasyncList, kill_fasync, owners, permitted
from ktrace.model.net.core.skbuff import SkBuff
from ktrace.model.net.core.sockfs import SocketInode
from ktrace.model.task import Errno, Task
from ktrace.model.timer import HZ, Timer, schedule_until, start
from ktrace.model.wait import Sleeps, WaitEntry, WaitQueue, wake_up
from ktrace.state.allowed import Between, OneOf
from ktrace.state.net.skbuff import Buffer
from ktrace.state.ref import Ref
from ktrace.uapi.errno import errno_name
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
from ktrace.uapi.limits import ULONG_MAX
from ktrace.uapi.siginfo import POLL_ERR, POLL_IN, POLL_OUT, POLL_PRI, SI_KERNEL
from ktrace.uapi.signal import SIGIO, SIGURG
from ktrace.uapi.socket import MSG_PEEK

if TYPE_CHECKING:
    from ktrace.model.fs.file import File
    from ktrace.model.fs.inode import Inode
    from ktrace.model.kernel import Kernel
    from ktrace.model.net.core.proto_ops import ProtoOps

POLL_READ = EPOLLIN | EPOLLPRI | EPOLLRDNORM | EPOLLRDBAND
POLL_WRITE = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND


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


class Timeo:
    """Mirror the ``long timeo`` that a call carries from sleep to sleep; true while time is left.

    :param jiffies: 0 for not to sleep at all, ``None`` for ever
    """

    def __init__(self, jiffies: int | None) -> None:
        self.jiffies = jiffies
        self._timer: Timer | None = None

    def __bool__(self) -> bool:
        return self.jiffies != 0

    def sleep(self, task: Task) -> Sleeps[None]:
        """Sleep until woken or until the time is over (``schedule_timeout()``)."""
        if self._timer is None and self.jiffies is not None:
            self._timer = start(task.kernel, self.jiffies / HZ)
        if (yield from schedule_until(task, self._timer)):
            self.jiffies = 0


def sock_intr_errno(timeo: Timeo) -> Errno:
    """Return what an interrupted wait fails with (``sock_intr_errno()``): no restart where there is a timeout."""
    return Errno("ERESTARTSYS" if timeo.jiffies is None else "EINTR")


def sock_sndtimeo(sk: Sock, noblock: int) -> Timeo:
    """Return how long to wait for room to send."""
    return Timeo(0 if noblock else sk.sndtimeo)


def sock_rcvtimeo(sk: Sock, noblock: int) -> Timeo:
    """Return how long to wait for something to receive."""
    return Timeo(0 if noblock else sk.rcvtimeo)


def sock_rcvlowat(sk: Sock, waitall: int, size: int) -> int:
    """Return how many bytes satisfy a reader (``sock_rcvlowat()``)."""
    low = size if waitall else min(sk.rcvlowat, size)
    return low or 1


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


def sleeper(task: Task, kind: str = "autoremove_wake_function", exclusive: bool = False) -> WaitEntry:
    """Return a wait queue entry of *task* with the wake function called *kind*."""
    return WaitEntry(task, exclusive, kind=kind)


def receiver(task: Task, queue: WaitQueue) -> WaitEntry:
    """Return the entry of a datagram receiver: only EPOLLIN and EPOLLERR wake it (``receiver_wake_function()``)."""
    entry = WaitEntry(task, True, kind="receiver_wake_function")

    def wake(key: int) -> bool:
        if key and not key & (EPOLLIN | EPOLLERR):
            return False
        woke = task.kernel.wake_up_process(task)
        if woke:
            queue.remove(entry)
        return woke

    entry.func = wake
    return entry


def prepare_to_wait(queue: WaitQueue, entry: WaitEntry) -> None:
    """Queue *entry* unless it is queued (``prepare_to_wait()``, ``prepare_to_wait_exclusive()``)."""
    if entry not in queue.entries:
        queue.add(entry)


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
