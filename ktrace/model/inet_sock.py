"""``struct inet_sock``, and what a protocol below AF_INET can do: ``struct proto``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ktrace.model.kernel import Kernel
from ktrace.model.proto_ops import InMessage, OutMessage
from ktrace.model.sock import Sock
from ktrace.model.task import Errno, Task
from ktrace.state.socket import InetSock

ANY = "0.0.0.0"


@dataclass(eq=False)
class Inet(Sock):
    """Mirror one ``struct inet_sock``; addresses as text, ports in host byte order.

    :param options: options that change nothing else, by level and number
    :param bind_hash: the port whose bucket it is in
    :param proto: the model of its ``struct proto``
    """

    inet_num: int = 0
    sport: int = 0
    dport: int = 0
    saddr: str = ANY
    rcv_saddr: str = ANY
    daddr: str = ANY
    uc_ttl: int = -1
    tos: int = 0
    bits: set[str] = field(default_factory=lambda: {"mc_loop", "mc_all"})
    options: dict[tuple[int, int], int] = field(default_factory=dict)
    bind_hash: int | None = None
    proto: Any = None

    def sock_uid(self) -> int:
        """Return the owner of its socket's inode, root where it has none (``sock_i_uid()``)."""
        return self.socket.i_uid if self.socket is not None else 0

    def view_parts(self) -> dict[str, Any]:
        """Return the part behind the ``struct sock``."""
        return {
            "inet": InetSock(
                self.inet_num,
                self.sport,
                self.dport,
                self.saddr,
                self.rcv_saddr,
                self.daddr,
                self.uc_ttl,
                self.tos,
                tuple(sorted(self.bits)),
            )
        }


class Proto:
    """Answer as a ``struct proto`` without members; each protocol overrides what it has."""

    sock: type[Inet] = Inet
    """What it allocates (``obj_size``)."""

    has_bind = False
    no_autobind = False

    def init(self, kernel: Kernel, task: Task, sk: Any) -> None:
        """Set up a new sock (``proto.init``)."""

    def bind(self, kernel: Kernel, task: Task, sk: Any, addr: bytes) -> int:
        """Bind its own way (``proto.bind``)."""
        raise NotImplementedError

    def get_port(self, kernel: Kernel, sk: Any, port: int) -> None:
        """Take a port, any where *port* is 0 (``proto.get_port``)."""
        raise NotImplementedError

    def close(self, kernel: Kernel, task: Task, sk: Any, timeout: int | None) -> Any:
        """End the sock (``proto.close``)."""
        raise NotImplementedError

    def disconnect(self, kernel: Kernel, sk: Any) -> None:
        """Forget the peer (``proto.disconnect``)."""
        raise NotImplementedError

    def shutdown(self, kernel: Kernel, sk: Any, how: int) -> None:
        """Tell the peer that nothing more is sent (``proto.shutdown``)."""

    def sendmsg(self, kernel: Kernel, task: Task, sk: Any, msg: OutMessage) -> Any:
        """Send (``proto.sendmsg``)."""
        raise NotImplementedError

    def recvmsg(self, kernel: Kernel, task: Task, sk: Any, msg: InMessage, flags: int) -> Any:
        """Receive (``proto.recvmsg``)."""
        raise NotImplementedError

    def poll(self, kernel: Kernel, sk: Any) -> int:
        """Return the poll mask."""
        raise NotImplementedError

    def ioctl(self, kernel: Kernel, sk: Any, cmd: int, arg: Any) -> Any:
        """Answer an ioctl (``proto.ioctl``)."""
        raise Errno("ENOIOCTLCMD")

    def setsockopt(self, kernel: Kernel, task: Task, sk: Any, level: int, optname: int, optval: bytes) -> int:
        """Set an option of the protocol (``proto.setsockopt``)."""
        raise Errno("ENOPROTOOPT")

    def getsockopt(self, kernel: Kernel, task: Task, sk: Any, level: int, optname: int, optlen: int) -> Any:
        """Get an option of the protocol (``proto.getsockopt``)."""
        raise Errno("ENOPROTOOPT")
