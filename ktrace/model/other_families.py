"""Creation of AF_PACKET and AF_NETLINK sockets.

What is done with them afterwards is not modelled: a call that asks for it ends the check with a clear error.
"""

from __future__ import annotations

from typing import Any

from ktrace.model.kernel import Kernel
from ktrace.model.proto_ops import ProtoOps
from ktrace.model.sock import SOCK_DGRAM, SOCK_PACKET, SOCK_RAW, Sock, Socket, sock_orphan
from ktrace.model.socket import family, sockets
from ktrace.model.task import Errno, Task

MAX_LINKS = 32


class BareOps(ProtoOps):
    """A ``proto_ops`` of which the model knows the name and how a fresh socket is closed."""

    def __init__(self, name: str) -> None:
        self.name = name

    def release(self, kernel: Kernel, task: Task, sock: Socket) -> int:
        """End a socket that was never used."""
        if sock.sk is not None:
            sock_orphan(sock.sk)
            sock.sk = None
        return 0

    def __getattribute__(self, name: str) -> Any:
        if name in _UNKNOWN:
            raise NotImplementedError(f"{object.__getattribute__(self, 'name')}.{name} is not modelled")
        return object.__getattribute__(self, name)


_UNKNOWN = frozenset(
    {
        "bind",
        "connect",
        "accept",
        "getname",
        "poll",
        "ioctl",
        "shutdown",
        "sendmsg",
        "recvmsg",
        "setsockopt",
        "getsockopt",
    }
)


def _fresh(kernel: Kernel, socket: Socket, family_: str, prot: str, ops: str, protocol: int) -> Sock:
    """``sk_alloc()`` and ``sock_init_data()``."""
    own = sockets(kernel)
    sk = Sock(
        kernel.serial(), family_, prot, protocol, own.setting("core/rmem_default"), own.setting("core/wmem_default"),
        type=socket.type, flags={"SOCK_ZAPPED"}, uid=socket.i_uid, socket=socket, wq=socket.wq,
    )  # fmt: skip
    socket.ops = BareOps(ops)
    socket.sk = sk
    return sk


@family("packet_create")
def packet_create(kernel: Kernel, task: Task, socket: Socket, protocol: int) -> None:
    """Make an AF_PACKET socket (``net/packet/af_packet.c: packet_create()``)."""
    if not task.cred.capable("CAP_NET_RAW"):
        raise Errno("EPERM")
    if socket.type not in (SOCK_DGRAM, SOCK_RAW, SOCK_PACKET):
        raise Errno("ESOCKTNOSUPPORT")
    socket.state = "SS_UNCONNECTED"
    ops = "packet_ops_spkt" if socket.type == SOCK_PACKET else "packet_ops"
    _fresh(kernel, socket, "AF_PACKET", "packet_proto", ops, 0)


@family("netlink_create")
def netlink_create(kernel: Kernel, task: Task, socket: Socket, protocol: int) -> None:
    """Make an AF_NETLINK socket (``net/netlink/af_netlink.c: netlink_create()``)."""
    socket.state = "SS_UNCONNECTED"
    if socket.type not in (SOCK_RAW, SOCK_DGRAM):
        raise Errno("ESOCKTNOSUPPORT")
    if not 0 <= protocol < MAX_LINKS or protocol not in sockets(kernel).facts.netlink:
        raise Errno("EPROTONOSUPPORT")
    _fresh(kernel, socket, "AF_NETLINK", "netlink_proto", "netlink_ops", protocol)
