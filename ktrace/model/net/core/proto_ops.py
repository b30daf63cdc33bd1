"""What a family can do with a socket: ``struct proto_ops``, and ``struct msghdr`` on its way through."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from ktrace.model.mm.iov import BufferSource, Destination, Source
from ktrace.model.task import Errno
from ktrace.state.allowed import Between, OneOf

if TYPE_CHECKING:
    from ktrace.model.calls import Answer
    from ktrace.model.fs.file import File
    from ktrace.model.fs.pipe.pipe import PipeInode
    from ktrace.model.kernel import Kernel
    from ktrace.model.mm.page import Page
    from ktrace.model.net.core.sock import Socket
    from ktrace.model.task import Task
    from ktrace.model.wait import MaySleep

OptionValue = bytes | Between | OneOf | dict[str, Any]
"""What getsockopt() tells: bytes, an int or a structure of which more than one value is allowed."""


@dataclass
class OutMessage:
    """Mirror a ``struct msghdr`` on its way out.

    :param name: bytes of the destination address, ``None`` without one
    :param control: control messages as dicts, or bytes as they lie there; ``None`` where there is no control buffer
    :param controllen: how many bytes of it count, where the caller said so
    """

    source: Source
    flags: int = 0
    name: bytes | None = None
    control: tuple[Any, ...] | bytes | None = None
    controllen: int | None = None


@dataclass
class InMessage:
    """Mirror a ``struct msghdr`` on its way in.

    :param wants_name: the caller gave room for an address
    :param name: the sender's address, as many bytes as ``msg_namelen`` says
    :param controllen: room for control messages, ``None`` without a control buffer
    :param control: messages delivered; *control_used* bytes they took
    :param flags: ``msg_flags`` on return
    """

    destination: Destination
    wants_name: bool = False
    name: bytes = b""
    controllen: int | None = None
    control: list[dict[str, Any]] = field(default_factory=list)
    control_used: int = 0
    flags: int = 0


def in_range(value: int, low: int, high: int) -> int:
    """Return the *value* of an option that is between *low* and *high*.

    :raises Errno: EINVAL: it is not
    """
    if not low <= value <= high:
        raise Errno("EINVAL")
    return value


class ProtoOps:
    """Mirror a ``struct proto_ops`` of ``sock_no_*()`` functions; each kind overrides those that it has.

    A method is a generator where the kernel may sleep.
    """

    name = "?"
    """The symbol of the ``proto_ops``, such as ``unix_stream_ops``."""

    family = 0

    def release(self, task: Task, sock: Socket) -> MaySleep[None]:
        """Let the protocol go (``proto_ops.release``)."""

    def bind(self, task: Task, sock: Socket, addr: bytes) -> MaySleep[int]:
        """``sock_no_bind()``."""
        raise Errno("EOPNOTSUPP")

    def connect(self, task: Task, sock: Socket, addr: bytes, flags: int) -> MaySleep[int]:
        """``sock_no_connect()``."""
        raise Errno("EOPNOTSUPP")

    def socketpair(self, task: Task, first: Socket, second: Socket) -> MaySleep[int]:
        """``sock_no_socketpair()``."""
        raise Errno("EOPNOTSUPP")

    def accept(self, task: Task, sock: Socket, newsock: Socket, flags: int) -> MaySleep[int]:
        """``sock_no_accept()``."""
        raise Errno("EOPNOTSUPP")

    def getname(self, kernel: Kernel, sock: Socket, peer: int) -> bytes:
        """``sock_no_getname()``."""
        raise Errno("EOPNOTSUPP")

    def mmap(self, task: Task, sock: Socket, prot: int) -> None:
        """Refuse (``sock_no_mmap()``)."""
        raise Errno("ENODEV")

    def poll(self, task: Task, file: File, sock: Socket) -> int:
        """Return the poll mask; 0 without a ``poll`` (``net/socket.c: sock_poll()``)."""
        return 0

    def ioctl(self, task: Task, sock: Socket, cmd: int, arg: Any) -> MaySleep[Answer]:
        """``sock_no_ioctl()``; ENOIOCTLCMD hands it on to the device layer."""
        raise Errno("EOPNOTSUPP")

    def gettstamp(self, task: Task, sock: Socket, arg: Any) -> NoReturn:
        """Refuse, where there is no ``gettstamp`` (``net/socket.c: sock_ioctl()``)."""
        raise Errno("ENOIOCTLCMD")

    def listen(self, task: Task, sock: Socket, backlog: int) -> MaySleep[int]:
        """``sock_no_listen()``."""
        raise Errno("EOPNOTSUPP")

    def shutdown(self, task: Task, sock: Socket, how: int) -> MaySleep[int]:
        """``sock_no_shutdown()``."""
        raise Errno("EOPNOTSUPP")

    def sendmsg(self, task: Task, sock: Socket, msg: OutMessage) -> MaySleep[int]:
        """``sock_no_sendmsg()``."""
        raise Errno("EOPNOTSUPP")

    def recvmsg(self, task: Task, sock: Socket, msg: InMessage, flags: int) -> MaySleep[int]:
        """``sock_no_recvmsg()``."""
        raise Errno("EOPNOTSUPP")

    def sendpage(self, task: Task, sock: Socket, page: Page, offset: int, size: int, flags: int) -> MaySleep[int]:
        """Send a part of a page (``sock_no_sendpage()``: copy it)."""
        data = BufferSource([(page.data, offset, size)])
        return self.sendmsg(task, sock, OutMessage(data, flags))

    @property
    def has_splice_read(self) -> bool:
        """Tell whether the ``proto_ops`` have ``splice_read``."""
        return type(self).splice_read is not ProtoOps.splice_read

    def splice_read(self, task: Task, sock: Socket, pipe: PipeInode, length: int, flags: int) -> MaySleep[int]:
        """Fill a pipe, where :attr:`has_splice_read`; return the bytes that went."""
        raise NotImplementedError

    def splice_eof(self, kernel: Kernel, sock: Socket) -> None:
        """Act on the end of a file where sendfile() promised more (``sock_splice_eof()``)."""

    def setsockopt(self, task: Task, sock: Socket, level: int, optname: int, optval: bytes) -> int:
        """Set an option above SOL_SOCKET (``__sys_setsockopt()`` without ``setsockopt``: EOPNOTSUPP)."""
        raise Errno("EOPNOTSUPP")

    def getsockopt(self, task: Task, sock: Socket, level: int, optname: int, optlen: int) -> OptionValue:
        """Get an option above SOL_SOCKET (``__sys_getsockopt()`` without ``getsockopt``: EOPNOTSUPP)."""
        raise Errno("EOPNOTSUPP")

    def set_peek_off(self, kernel: Kernel, sock: Socket, value: int) -> None:
        """Set SO_PEEK_OFF (``sk_setsockopt()`` without ``set_peek_off``: EOPNOTSUPP)."""
        raise Errno("EOPNOTSUPP")

    def has_peek_off(self, kernel: Kernel) -> bool:
        """Tell whether the ``proto_ops`` have ``set_peek_off``."""
        return False

    def set_rcvlowat(self, kernel: Kernel, sock: Socket, value: int) -> None:
        """Set SO_RCVLOWAT (``sk_setsockopt()`` without ``set_rcvlowat``)."""
        assert sock.sk is not None
        sock.sk.rcvlowat = value or 1
