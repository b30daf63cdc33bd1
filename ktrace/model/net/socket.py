"""Sockets as files: their creation and their ``struct file_operations`` (``net/socket.c``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from ktrace.include.linux.fs import FMODE_READ, FMODE_WRITE
from ktrace.include.linux.net import SOCK_MAX
from ktrace.model.calls import Answer
from ktrace.model.fs.fasync import fasync_helper
from ktrace.model.fs.fcntl import f_getown, f_setown
from ktrace.model.fs.file import File, FileOperations, fdget
from ktrace.model.fs.file_table import alloc_empty_file
from ktrace.model.fs.pipe.copy_splice import splice_by_message
from ktrace.model.fs.pipe.pipe import PipeInode
from ktrace.model.kernel import Kernel
from ktrace.model.mm.iov import Destination, Source
from ktrace.model.net.core.page_frag import put_page_frag
from ktrace.model.net.core.proto_ops import InMessage, OutMessage
from ktrace.model.net.core.skbuff import Allocator
from ktrace.model.net.core.sock import Socket
from ktrace.model.net.core.sock_view import view_open_socket
from ktrace.model.net.core.sockfs import number
from ktrace.model.net.inet.netns import NetnsInet
from ktrace.model.net.net_namespace import open_related_ns
from ktrace.model.net.netlink.netns import NetlinkTables
from ktrace.model.net.packet.netns import NetnsPacket
from ktrace.model.net.socket_tables import tables
from ktrace.model.net.splice_socket import generic_splice_sendpage
from ktrace.model.net.splice_to_socket import SpliceToSocket
from ktrace.model.net.unix.netns import NetnsUnix
from ktrace.model.subsystem import Subsystem
from ktrace.model.task import AsObserved, Errno, Task
from ktrace.model.wait import MaySleep, Sleeps, WaitQueue, drive
from ktrace.state.call import BAD, NULL, Pointer, Result
from ktrace.state.net.facts import SocketFacts
from ktrace.state.net.socket_tables import TABLES
from ktrace.state.ref import Ref
from ktrace.uapi.fcntl import O_NONBLOCK, O_RDWR
from ktrace.uapi.net import NPROTO
from ktrace.uapi.socket import MSG_DONTWAIT, MSG_EOR, PF_INET, PF_PACKET, SOCK_PACKET, SOCK_SEQPACKET
from ktrace.uapi.sockios import (
    FIOGETOWN,
    FIOSETOWN,
    SIOCATMARK,
    SIOCBRADDBR,
    SIOCBRADDIF,
    SIOCBRDELBR,
    SIOCBRDELIF,
    SIOCDARP,
    SIOCDIFADDR,
    SIOCGIFBR,
    SIOCGIFVLAN,
    SIOCGPGRP,
    SIOCGSKNS,
    SIOCGSTAMP_NEW,
    SIOCGSTAMP_OLD,
    SIOCGSTAMPNS_NEW,
    SIOCGSTAMPNS_OLD,
    SIOCOUTQNSD,
    SIOCRTMSG,
    SIOCSARP,
    SIOCSIFADDR,
    SIOCSIFBR,
    SIOCSIFDSTADDR,
    SIOCSIFVLAN,
    SIOCSPGRP,
    SOCK_IOC_TYPE,
)

WITH_ROOM = (SIOCATMARK, SIOCOUTQNSD)
"""Those for whose answer there is always room: no EFAULT."""

STAMPS = (SIOCGSTAMP_OLD, SIOCGSTAMPNS_OLD, SIOCGSTAMP_NEW, SIOCGSTAMPNS_NEW)

NO_IFREQ = (
    *(SIOCRTMSG, SIOCGIFBR, SIOCSIFBR, SIOCGIFVLAN, SIOCSIFVLAN),
    *(SIOCBRADDBR, SIOCBRDELBR, SIOCBRADDIF, SIOCBRDELIF, SIOCSARP, SIOCDARP, SIOCSIFADDR, SIOCDIFADDR, SIOCSIFDSTADDR),
)
"""Ioctls of sockets and network devices that do not begin with reading from their argument; some ask first who may."""

Create = Callable[[Task, Socket, int], None]
_CREATE: dict[str, Create] = {}
ELAPSE_WORK: list[Callable[[Kernel], None]] = []
IDLE_WORK: list[Callable[[Kernel], None]] = []
"""What families do while every actor sleeps, in the order of their registration."""
BUSY: list[Callable[[Kernel], bool]] = []
"""What tells whether something of that is left to do."""


def family(symbol: str) -> Callable[[Create], Create]:
    """Register a function as the model of the ``create`` function called *symbol* of a ``net_proto_family``."""

    def register(function: Create) -> Create:
        _CREATE[symbol] = function
        return function

    return register


class Sockets(Subsystem):
    """Hold every socket of the network namespace, and what each family keeps for all of its own.

    :param facts: what is known about the kernel that is modelled
    :ivar cookie: SO_NETNS_COOKIE, once somebody asked for it; *next_cookie*: SO_COOKIE of the next socket that is asked
    :ivar times_left: a socket's times were set: they may be those of a later one
    :ivar stamping: somebody asked when packets came, so that they may be stamped (``net_enable_timestamp()``)
    """

    def __init__(self, facts: SocketFacts) -> None:
        self.facts = facts
        self.alloc = Allocator(facts)
        self.tables = tables(facts)
        self.sockets: dict[int, Socket] = {}
        self.times_left = self.stamping = False
        self.cookie: bytes | None = None
        self.next_cookie = facts.next_cookie
        self.unix = NetnsUnix()
        self.inet = NetnsInet(facts)
        self.netlink = NetlinkTables()
        self.packet = NetnsPacket()

    def sysctl(self, kernel: Kernel, path: str, value: str) -> bool:
        """Take over a setting below /proc/sys/net."""
        name = path.removeprefix("net/")
        names = next((names for names in _settings(name) if names[0] in self.facts.sysctl), None)
        if name == path or names is None:
            return False
        settings = dict(self.facts.sysctl)
        settings.update(zip(names, map(int, value.split()), strict=False))
        self.facts = replace(self.facts, sysctl=settings)
        return True

    def setting(self, name: str) -> int:
        """Return a setting below /proc/sys/net."""
        return self.facts.sysctl[name]

    def elapse(self, kernel: Kernel) -> None:
        """Let the timers of the families fire."""
        for work in ELAPSE_WORK:
            work(kernel)

    def idle(self, kernel: Kernel) -> bool:
        """Let kernel threads and timers of the families work."""
        for work in IDLE_WORK:
            work(kernel)
        return any(busy(kernel) for busy in BUSY)

    def exit_last(self, task: Task) -> None:
        """Let go of the page that the socket calls of *task* filled (``do_exit()``: *task_frag*)."""
        put_page_frag(task)

    def observe(self, kernel: Kernel, objects: dict[Ref, Any]) -> None:
        """Add nothing: sockets are added with the files that lead to them."""


def _settings(name: str) -> tuple[tuple[str, ...], ...]:
    """Return what a file below /proc/sys/net may hold: a number, a range, or three numbers."""
    return (name,), (f"{name}/low", f"{name}/high"), (f"{name}/0", f"{name}/1", f"{name}/2")


def sock_alloc(task: Task, type_: int) -> Socket:
    """Make a socket with its inode (``net/socket.c: sock_alloc()``)."""
    kernel = task.kernel
    socket = Socket(kernel.serial(), type_, task.cred.euid, task.cred.egid)
    socket.inode.born(kernel)
    kernel.net.sockets[socket.key] = socket
    return socket


def sock_create(task: Task, family_: int, type_: int, protocol: int) -> Socket:
    """Make a socket of a family (``net/socket.c: __sock_create()``).

    :raises Errno: EAFNOSUPPORT, EINVAL, or what the family says
    """
    kernel = task.kernel
    if not 0 <= family_ < NPROTO:
        raise Errno("EAFNOSUPPORT")
    if not 0 <= type_ < SOCK_MAX:
        raise Errno("EINVAL")
    if family_ == PF_INET and type_ == SOCK_PACKET:
        family_ = PF_PACKET
    create = kernel.net.facts.net_families.get(family_)
    if create is None:
        # request_module() finds no module: the lab has none.
        raise Errno("EAFNOSUPPORT")
    socket = sock_alloc(task, type_)
    try:
        _CREATE[create](task, socket, protocol)
    except Errno:
        socket.sk = None
        socket.ops = None
        del kernel.net.sockets[socket.key]
        raise
    return socket


def sock_alloc_file(task: Task, socket: Socket, flags: int) -> File:
    """Put an open file in front of a socket, or let go of it (``net/socket.c: sock_alloc_file()``).

    :raises Errno: ENFILE
    """
    try:
        alloc_empty_file(task)
    except Errno:
        run(sock_release(task, socket))
        raise
    file = File(
        task.kernel.serial(), SOCKET_FILE_OPS, FMODE_READ | FMODE_WRITE, O_RDWR | flags & O_NONBLOCK, socket.ref, socket
    )
    file.inode = socket.inode
    socket.file = file
    return file


def sock_install(task: Task, fd: int, file: File, cloexec: bool) -> None:
    """Put a new socket's *file* at *fd* (``fd_install()``); from now on its inode number can be seen."""
    task.files.install(fd, file, cloexec)
    socket: Socket = file.private
    others = {other.inode.numbers.get("st_ino", 0) for other in task.kernel.net.sockets.values() if other is not socket}
    number(task, fd, socket, others)


def sock_release(task: Task, socket: Socket) -> Sleeps[None]:
    """Let go of a socket (``net/socket.c: __sock_release()``)."""
    if socket.ops is not None:
        yield from drive(socket.ops.release(task, socket))
        socket.sk = None
        socket.ops = None
    socket.file = None
    task.kernel.net.sockets.pop(socket.key, None)


def run(answer: MaySleep[None]) -> None:
    """Run a release to its end where nobody can sleep.

    :raises NotImplementedError: it sleeps
    """
    for _ in drive(answer):
        raise NotImplementedError("the model does not put a kernel thread to sleep that closes a file")


@contextmanager
def sockfd_lookup(task: Task, fd: int) -> Iterator[Socket]:
    """Hold the socket at *fd* for a call (``net/socket.c: sockfd_lookup_light()``).

    :raises Errno: EBADF, ENOTSOCK
    """
    with fdget(task, fd) as file:
        yield sock_from_file(file)


def sock_from_file(file: File) -> Socket:
    """Return the socket behind *file* (``sock_from_file()``).

    :raises Errno: ENOTSOCK
    """
    if file.ops is not SOCKET_FILE_OPS:
        raise Errno("ENOTSOCK")
    socket: Socket = file.private
    return socket


class SocketFileOperations(FileOperations):
    """``socket_file_ops`` (``net/socket.c``)."""

    name = "socket_file_ops"
    maps = True
    has_fasync = True

    def observe(self, kernel: Kernel, file: File, objects: dict[Ref, Any]) -> None:
        """Add the socket, also where nothing but an epoll set, a message or a call on its way leads to the file."""
        objects.setdefault(TABLES, kernel.net.tables)
        view_open_socket(kernel, file.private, objects)

    def read_iter(self, task: Task, file: File, to: Destination) -> Sleeps[int]:
        """Receive (``sock_read_iter()``)."""
        socket: Socket = file.private
        if file.pos != 0:
            raise Errno("ESPIPE")
        if not to.count:
            return 0
        flags = MSG_DONTWAIT if file.f_flags & O_NONBLOCK else 0
        assert socket.ops is not None
        message = InMessage(to, flags=flags)
        return (yield from drive(socket.ops.recvmsg(task, socket, message, flags)))

    def write_iter(self, task: Task, file: File, source: Source) -> Sleeps[int]:
        """Send (``sock_write_iter()``)."""
        socket: Socket = file.private
        if file.pos != 0:
            raise Errno("ESPIPE")
        flags = MSG_DONTWAIT if file.f_flags & O_NONBLOCK else 0
        if socket.type == SOCK_SEQPACKET:
            flags |= MSG_EOR
        assert socket.ops is not None
        return (yield from drive(socket.ops.sendmsg(task, socket, OutMessage(source, flags))))

    def splice_read(
        self, task: Task, file: File, position: int, pipe: PipeInode, length: int, flags: int
    ) -> Sleeps[tuple[int, int]]:
        """Receive into a pipe (``sock_splice_read()``)."""
        socket: Socket = file.private
        assert socket.ops is not None
        if socket.ops.has_splice_read:
            done = yield from drive(socket.ops.splice_read(task, socket, pipe, length, flags))
        else:

            def receive(to: Destination) -> Sleeps[int]:
                return self.read_iter(task, file, to)

            done = yield from splice_by_message(task.kernel, receive, pipe, length)
        return done, position

    def splice_write(
        self, task: Task, pipe: PipeInode, file: File, position: int, length: int, flags: int
    ) -> Sleeps[tuple[int, int]]:
        """Send what a pipe holds (``generic_splice_sendpage()``, on later kernels ``splice_to_socket()``)."""
        if task.kernel.changes.splice_to_socket:
            return (yield from SpliceToSocket(task, pipe, file, length, flags).run()), position
        return (yield from generic_splice_sendpage(task, pipe, file, length, flags)), position

    def splice_eof(self, task: Task, file: File) -> None:
        """Send what was held back for more (``sock_splice_eof()``)."""
        file.private.ops.splice_eof(task.kernel, file.private)

    def poll(self, task: Task, file: File) -> int:
        """Ask the family (``sock_poll()``)."""
        socket: Socket = file.private
        assert socket.ops is not None
        return socket.ops.poll(task, file, socket)

    def poll_queues(self, task: Task, file: File) -> list[WaitQueue]:
        """Every family waits on the socket's own queue (``sock_poll_wait()``)."""
        return [file.private.wq]

    def mmap(self, task: Task, file: File, prot: int) -> None:
        """Ask the family (``sock_mmap()``)."""
        file.private.ops.mmap(task, file.private, prot)

    def ioctl(self, task: Task, file: File, cmd: int, arg: Any) -> MaySleep[Answer]:
        """Ask the family, then give up (``sock_ioctl()``, ``sock_do_ioctl()``)."""
        socket: Socket = file.private
        assert socket.ops is not None
        if cmd in (FIOSETOWN, SIOCSPGRP):
            if isinstance(arg, Pointer):
                raise Errno("EFAULT")
            return f_setown(task, file, arg)
        if cmd in (FIOGETOWN, SIOCGPGRP):
            owner = f_getown(task, file, lambda result: result.out.get("arg"))
            return Result(0, None, {"arg": owner if isinstance(owner, int) else owner.name})
        try:
            if cmd == SIOCGSKNS:
                return open_related_ns(task)
            if cmd in STAMPS:
                return socket.ops.gettstamp(task, socket, arg)
            return socket.ops.ioctl(task, socket, cmd, arg)
        except Errno as error:
            if error.name == "ENOIOCTLCMD":
                other = cmd >> 8 & 0xFF != SOCK_IOC_TYPE or cmd in WITH_ROOM or cmd in STAMPS
                if other or not isinstance(arg, (int, Pointer)):
                    raise Errno("ENOTTY") from None
                if not task.mm.known:
                    raise AsObserved("an ioctl of sockets that tells of interfaces and routes") from None
                if cmd in NO_IFREQ or (isinstance(arg, Pointer) and arg not in (NULL, BAD)):
                    raise NotImplementedError(f"the model does not know the ioctl {cmd:#x} of sockets") from None
                raise Errno("EFAULT") from None
            raise

    def fasync(self, task: Task, fd: int, file: File, on: bool) -> None:
        """Register for SIGIO (``sock_fasync()``, ``fs/fcntl.c: fasync_helper()``)."""
        socket: Socket = file.private
        if socket.sk is None:
            raise Errno("EINVAL")
        fasync_helper(fd, file, on, socket.fasync_list)
        socket.sk.set_flag("SOCK_FASYNC", bool(socket.fasync_list))

    def release(self, task: Task, file: File) -> Sleeps[None]:
        """Let go of the socket (``sock_close()``)."""
        return sock_release(task, file.private)


SOCKET_FILE_OPS = SocketFileOperations()
