"""AF_PACKET sockets: creation and names (``net/packet/af_packet.c``).

Which frames they see is not modelled: what would send one while a packet socket listens ends the check.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, NoReturn

from ktrace.include.net.ip import LOOPBACK_IFINDEX
from ktrace.model.fs.file import File
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.datagram import datagram_poll
from ktrace.model.net.core.proto_ops import InMessage, OutMessage, ProtoOps
from ktrace.model.net.core.sock import Sock, Socket, raise_sock_error, sock_orphan
from ktrace.model.net.socket import family
from ktrace.model.net.sockopt_timestamp import sock_gettstamp
from ktrace.model.task import Errno, Task
from ktrace.state.call import Result
from ktrace.state.net.packet import PacketSock
from ktrace.state.net.sockaddr import pack
from ktrace.uapi.if_arp import ARPHRD_LOOPBACK
from ktrace.uapi.if_ether import ETH_ALEN
from ktrace.uapi.if_packet import SIZEOF_SOCKADDR_LL
from ktrace.uapi.socket import AF_PACKET, MSG_DONTWAIT, SIZEOF_SOCKADDR, SOCK_DGRAM, SOCK_PACKET, SOCK_RAW
from ktrace.uapi.sockios import SIOCINQ, SIOCOUTQ


@dataclass(eq=False)
class Packet(Sock):
    """Mirror one ``struct packet_sock``.

    :param num: the protocol it listens for, in host byte order
    :param running: it is hooked into the receive path
    """

    num: int = 0
    ifindex: int = 0
    running: bool = False

    def view_parts(self) -> dict[str, Any]:
        """Return the part behind the ``struct sock``."""
        return {
            "packet": PacketSock(
                num=self.num, ifindex=self.ifindex, flags=("PACKET_SOCK_RUNNING",) if self.running else ()
            )
        }


def pkt_sk(sk: Sock | None) -> Packet:
    """Return *sk*, which is one of AF_PACKET (``pkt_sk()``)."""
    assert isinstance(sk, Packet)
    return sk


@family("packet_create")
def packet_create(task: Task, socket: Socket, protocol: int) -> None:
    """Make an AF_PACKET socket (``packet_create()``)."""
    kernel = task.kernel
    if not task.cred.capable("CAP_NET_RAW"):
        raise Errno("EPERM")
    if socket.type not in (SOCK_DGRAM, SOCK_RAW, SOCK_PACKET):
        raise Errno("ESOCKTNOSUPPORT")
    own = kernel.net
    socket.state = "SS_UNCONNECTED"
    socket.ops = SPKT_OPS if socket.type == SOCK_PACKET else PACKET_OPS
    sk = socket.sk = Packet(
        kernel.serial(), "AF_PACKET", "packet_proto", 0, own.setting("core/rmem_default"),
        own.setting("core/wmem_default"), type=socket.type, flags={"SOCK_ZAPPED"}, uid=socket.i_uid, socket=socket,
        wq=socket.wq,
    )  # fmt: skip
    # The argument is in network byte order: "weird, but documented".
    sk.num = int.from_bytes((protocol & 0xFFFF).to_bytes(2, "little"), "big")
    register_prot_hook(kernel, sk, bool(sk.num))


def register_prot_hook(kernel: Kernel, sk: Packet, on: bool) -> None:
    """Listen, or listen no more (``__register_prot_hook()``, ``__unregister_prot_hook()``)."""
    listening = kernel.net.packet.taps
    if on and sk not in listening:
        listening.append(sk)
    elif not on and sk in listening:
        listening.remove(sk)
    sk.running = on


class PacketSocketOps(ProtoOps):
    """``packet_ops``."""

    name = "packet_ops"
    family = AF_PACKET

    def release(self, task: Task, sock: Socket) -> None:
        """``packet_release()``."""
        if sock.sk is not None:
            sk = pkt_sk(sock.sk)
            register_prot_hook(task.kernel, sk, False)
            sock_orphan(sk)
            sock.sk = None

    def bind(self, task: Task, sock: Socket, addr: bytes) -> int:
        """``packet_bind()``."""
        if len(addr) < SIZEOF_SOCKADDR_LL:
            raise Errno("EINVAL")
        protocol, ifindex = struct.unpack_from(">H", addr, 2)[0], struct.unpack_from("<i", addr, 4)[0]
        if int.from_bytes(addr[:2], "little") != AF_PACKET:
            raise Errno("EINVAL")
        if ifindex not in (0, LOOPBACK_IFINDEX):
            raise Errno("ENODEV")
        return self.do_bind(task.kernel, pkt_sk(sock.sk), ifindex, protocol)

    def do_bind(self, kernel: Kernel, sk: Packet, ifindex: int, protocol: int) -> int:
        """``packet_do_bind()``."""
        protocol = protocol or sk.num
        if (sk.num, sk.ifindex) != (protocol, ifindex):
            sk.num, sk.ifindex = protocol, ifindex
            register_prot_hook(kernel, sk, bool(protocol))
        return 0

    def getname(self, kernel: Kernel, sock: Socket, peer: int) -> bytes:
        """``packet_getname()``."""
        if peer:
            raise Errno("EOPNOTSUPP")
        sk = pkt_sk(sock.sk)
        on_device = sk.ifindex == LOOPBACK_IFINDEX
        whole = pack(
            {
                "sa_family": AF_PACKET,
                "sll_protocol": sk.num,
                "sll_ifindex": sk.ifindex,
                "sll_hatype": ARPHRD_LOOPBACK if on_device else 0,
                "sll_pkttype": 0,
                "sll_addr": bytes(ETH_ALEN) if on_device else b"",
            }
        )
        return whole[: 12 + (ETH_ALEN if on_device else 0)]

    def poll(self, task: Task, file: File, sock: Socket) -> int:
        """``packet_poll()``, without rings."""
        return datagram_poll(pkt_sk(sock.sk))

    def mmap(self, task: Task, sock: Socket, prot: int) -> None:
        """Refuse where there is no ring (``packet_mmap()``)."""
        raise Errno("EINVAL")

    def ioctl(self, task: Task, sock: Socket, cmd: int, arg: Any) -> Result:
        """``packet_ioctl()``."""
        if cmd == SIOCOUTQ:
            return Result(0, None, {"arg": pkt_sk(sock.sk).wmem_get()})
        if cmd == SIOCINQ:
            return Result(0, None, {"arg": 0})
        raise Errno("ENOIOCTLCMD")

    def gettstamp(self, task: Task, sock: Socket, arg: Any) -> NoReturn:
        """``sock_gettstamp()``."""
        sock_gettstamp(task, pkt_sk(sock.sk), arg)

    def sendmsg(self, task: Task, sock: Socket, msg: OutMessage) -> NoReturn:
        """``packet_sendmsg()``."""
        raise NotImplementedError("the model does not send frames through packet sockets")

    def recvmsg(self, task: Task, sock: Socket, msg: InMessage, flags: int) -> NoReturn:
        """``packet_recvmsg()``, where nothing came."""
        raise_sock_error(pkt_sk(sock.sk))
        if flags & MSG_DONTWAIT and not flags & ~MSG_DONTWAIT:
            raise Errno("EAGAIN")
        raise NotImplementedError("the model does not receive frames through packet sockets")

    def setsockopt(self, task: Task, sock: Socket, level: int, optname: int, optval: bytes) -> int:
        """``packet_setsockopt()``."""
        raise NotImplementedError("the model does not know the options of packet sockets")

    def getsockopt(self, task: Task, sock: Socket, level: int, optname: int, optlen: int) -> NoReturn:
        """``packet_getsockopt()``."""
        raise NotImplementedError("the model does not know the options of packet sockets")


class SpktOps(PacketSocketOps):
    """``packet_ops_spkt``."""

    name = "packet_ops_spkt"

    def bind(self, task: Task, sock: Socket, addr: bytes) -> int:
        """``packet_bind_spkt()``: to a device by its name."""
        if len(addr) != SIZEOF_SOCKADDR:
            raise Errno("EINVAL")
        if addr[2:].split(b"\0")[0] != b"lo":
            raise Errno("ENODEV")
        return self.do_bind(task.kernel, pkt_sk(sock.sk), LOOPBACK_IFINDEX, 0)

    def getname(self, kernel: Kernel, sock: Socket, peer: int) -> bytes:
        """``packet_getname_spkt()``."""
        if peer:
            raise Errno("EOPNOTSUPP")
        name = b"lo" if pkt_sk(sock.sk).ifindex == LOOPBACK_IFINDEX else b""
        return struct.pack("<H14s", AF_PACKET, name)


PACKET_OPS = PacketSocketOps()
SPKT_OPS = SpktOps()
