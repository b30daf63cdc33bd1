"""AF_INET sockets: creation, addresses, names (``net/ipv4/af_inet.c``)."""

from __future__ import annotations

import ipaddress
import struct
from typing import Any, NoReturn

from ktrace.include.linux.types import u32
from ktrace.include.net.sock import RCV_SHUTDOWN, SHUTDOWN_MASK, SK_CAN_REUSE
from ktrace.model.fs.file import File
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.proto_ops import InMessage, OptionValue, OutMessage, ProtoOps
from ktrace.model.net.core.sock import Socket
from ktrace.model.net.core.sock_callbacks import state_change
from ktrace.model.net.inet.addr4 import ANY, LOOPBACK
from ktrace.model.net.inet.sock import Inet, Proto, inet_sk
from ktrace.model.net.socket import family
from ktrace.model.net.sockopt_timestamp import sock_gettstamp
from ktrace.model.task import Errno, Task
from ktrace.model.wait import MaySleep
from ktrace.state.call import Result
from ktrace.state.net.facts import ProtocolSwitch
from ktrace.state.net.sockaddr import pack
from ktrace.uapi.in_ import IPPROTO_IP, IPPROTO_MAX, IPPROTO_RAW, SIZEOF_SOCKADDR_IN
from ktrace.uapi.socket import AF_INET, AF_UNSPEC, PF_INET, SOCK_RAW

_PROTOS: dict[str, Proto[Any]] = {}
_OPS: dict[str, ProtoOps] = {}


def register(prot: str, proto: Proto[Any], ops: ProtoOps) -> None:
    """Make *proto* the model of the ``struct proto`` called *prot*, and *ops* that of its ``proto_ops``."""
    _PROTOS[prot] = proto
    _OPS[ops.name] = ops


def find_protosw(switch: tuple[ProtocolSwitch, ...], type_: int, protocol: int) -> tuple[ProtocolSwitch, int]:
    """Find the protocol of a new socket: its own number, or a wild card on either side (``inet_create()``).

    :returns: the entry, and the protocol number that the socket gets
    :raises Errno: ESOCKTNOSUPPORT where the type's list is empty, EPROTONOSUPPORT where nothing on it fits
    """
    error = "ESOCKTNOSUPPORT"
    for answer in switch:
        if answer.type != type_:
            continue
        if protocol == answer.protocol:
            if protocol != IPPROTO_IP:
                return answer, protocol
        else:
            if protocol == IPPROTO_IP:
                return answer, answer.protocol
            if answer.protocol == IPPROTO_IP:
                return answer, protocol
        error = "EPROTONOSUPPORT"
    # request_module() is tried twice and finds nothing: the lab has no modules.
    raise Errno(error)


@family("inet_create")
def inet_create(task: Task, socket: Socket, protocol: int) -> None:
    """Make an AF_INET socket (``inet_create()``)."""
    sk = make_sock(task, socket, protocol, "AF_INET")
    sk.proto.init(task, sk)


def make_sock(task: Task, socket: Socket, protocol: int, family_: str) -> Inet:
    """Do what ``inet_create()`` and ``inet6_create()`` have in common, up to ``proto.init``.

    :raises Errno: EINVAL, ESOCKTNOSUPPORT, EPROTONOSUPPORT, EPERM
    """
    kernel = task.kernel
    if not 0 <= protocol < IPPROTO_MAX:
        raise Errno("EINVAL")
    socket.state = "SS_UNCONNECTED"
    facts = kernel.net.facts
    answer, protocol = find_protosw(facts.inetsw if family_ == "AF_INET" else facts.inetsw6, socket.type, protocol)
    if socket.type == SOCK_RAW and not task.cred.capable("CAP_NET_RAW"):
        raise Errno("EPERM")
    own = kernel.net
    socket.ops = _OPS[answer.ops]
    proto = _PROTOS[answer.prot]
    sk: Inet = proto.sock(
        kernel.serial(),
        family_,
        answer.prot,
        protocol,
        own.setting("core/rmem_default"),
        own.setting("core/wmem_default"),
        type=socket.type,
        flags={"SOCK_ZAPPED"},
        uid=socket.i_uid,
        socket=socket,
        wq=socket.wq,
        proto=proto,
    )
    if "INET_PROTOSW_REUSE" in answer.flags:
        sk.reuse = SK_CAN_REUSE
    if "INET_PROTOSW_ICSK" in answer.flags:
        sk.bits.add("is_icsk")
    socket.sk = sk
    if socket.type == SOCK_RAW:
        sk.inet_num = sk.sport = protocol
        if protocol == IPPROTO_RAW:
            sk.bits.add("hdrincl")
    return sk


def not_local(kernel: Kernel, sk: Inet, setting: str) -> bool:
    """Tell whether an address must be this machine's (``inet_can_nonlocal_bind()``, ``ipv6_can_nonlocal_bind()``)."""
    return not (kernel.net.facts.sysctl.get(setting, 0) or sk.bits & {"freebind", "transparent"})


# -- addresses -----------------------------------------------------------------------------------


def inet_address(data: bytes) -> tuple[int, str, int]:
    """Return family, address and port of a ``struct sockaddr_in``."""
    family_: int = struct.unpack_from("<H", data)[0]
    port, packed = struct.unpack_from(">H4s", data, 2)
    return family_, str(ipaddress.IPv4Address(packed)), port


def address_type(address: str) -> str:
    """Tell what *address* is on a machine that has a loopback and nothing else (``inet_addr_type_table()``)."""
    value = ipaddress.IPv4Address(address)
    if value.is_multicast:
        return "RTN_MULTICAST"
    if address in (ANY, "255.255.255.255"):
        return "RTN_BROADCAST" if address != ANY else "RTN_LOCAL"
    if value in LOOPBACK:
        return "RTN_BROADCAST" if address == "127.255.255.255" else "RTN_LOCAL"
    return "RTN_UNICAST"


def sockaddr_in(address: str, port: int) -> bytes:
    """Return the bytes of a ``struct sockaddr_in``."""
    return pack({"sa_family": AF_INET, "sin_port": port, "sin_addr": address})


class InetOps(ProtoOps):
    """What ``inet_stream_ops``, ``inet_dgram_ops`` and ``inet_sockraw_ops`` have in common."""

    family = PF_INET

    def release(self, task: Task, sock: Socket) -> MaySleep[None]:
        """``inet_release()``."""
        if sock.sk is None:
            return None
        sk = inet_sk(sock.sk)
        lingers = sk.flag("SOCK_LINGER") and not task.exiting
        timeout = sk.lingertime if lingers else 0
        sock.sk = None
        return sk.proto.close(task, sk, timeout)

    def bind(self, task: Task, sock: Socket, addr: bytes) -> int:
        """``inet_bind()``, ``__inet_bind()``."""
        kernel = task.kernel
        sk = inet_sk(sock.sk)
        proto = sk.proto
        if proto.has_bind:
            return proto.bind(task, sk, addr)
        if len(addr) < SIZEOF_SOCKADDR_IN:
            raise Errno("EINVAL")
        family_, address, port = inet_address(addr)
        if family_ != AF_INET and (family_ != AF_UNSPEC or address != ANY):
            raise Errno("EAFNOSUPPORT")
        kind = address_type(address)
        if kind == "RTN_UNICAST" and not_local(kernel, sk, "ipv4/ip_nonlocal_bind"):
            raise Errno("EADDRNOTAVAIL")
        own = kernel.net
        privileged = port and port < own.setting("ipv4/ip_unprivileged_port_start")
        if privileged and not task.cred.capable("CAP_NET_BIND_SERVICE"):
            raise Errno("EACCES")
        if sk.state != "TCP_CLOSE" or sk.inet_num:
            raise Errno("EINVAL")
        sk.rcv_saddr = sk.saddr = address
        if kind in ("RTN_MULTICAST", "RTN_BROADCAST"):
            sk.saddr = ANY
        if port or "bind_address_no_port" not in sk.bits:
            try:
                proto.get_port(kernel, sk, port)
            except Errno:
                sk.saddr = sk.rcv_saddr = ANY
                raise
        if sk.rcv_saddr != ANY:
            sk.userlocks.add("SOCK_BINDADDR_LOCK")
        if port:
            sk.userlocks.add("SOCK_BINDPORT_LOCK")
        sk.sport = sk.inet_num
        sk.daddr, sk.dport = ANY, 0
        return 0

    def getname(self, kernel: Kernel, sock: Socket, peer: int) -> bytes:
        """``inet_getname()``."""
        sk = inet_sk(sock.sk)
        if peer:
            if not sk.dport or (sk.state in ("TCP_CLOSE", "TCP_SYN_SENT") and peer == 1):
                raise Errno("ENOTCONN")
            return sockaddr_in(sk.daddr, sk.dport)
        return sockaddr_in(sk.rcv_saddr if sk.rcv_saddr != ANY else sk.saddr, sk.sport)

    def shutdown(self, task: Task, sock: Socket, how: int) -> int:
        """``inet_shutdown()``."""
        kernel = task.kernel
        how = u32(how + 1)
        if how & ~SHUTDOWN_MASK or not how:
            raise Errno("EINVAL")
        sk = inet_sk(sock.sk)
        proto = sk.proto
        if sock.state == "SS_CONNECTING":
            waits = sk.state in ("TCP_SYN_SENT", "TCP_SYN_RECV", "TCP_CLOSE")
            sock.state = "SS_DISCONNECTING" if waits else "SS_CONNECTED"
        error: Errno | None = None
        if sk.state in ("TCP_LISTEN", "TCP_SYN_SENT"):
            if sk.state == "TCP_SYN_SENT" or how & RCV_SHUTDOWN:
                proto.disconnect(kernel, sk)
                sock.state = "SS_UNCONNECTED"
        else:
            if sk.state == "TCP_CLOSE":
                error = Errno("ENOTCONN")
            sk.shutdown |= how
            proto.shutdown(kernel, sk, how)
        state_change(kernel, sk)
        if error is not None:
            raise error
        return 0

    def sendmsg(self, task: Task, sock: Socket, msg: OutMessage) -> MaySleep[int]:
        """``inet_sendmsg()``."""
        sk = inet_sk(sock.sk)
        proto = sk.proto
        if not sk.inet_num and not proto.no_autobind:
            inet_autobind(task.kernel, sk)
        return proto.sendmsg(task, sk, msg)

    def recvmsg(self, task: Task, sock: Socket, msg: InMessage, flags: int) -> MaySleep[int]:
        """``inet_recvmsg()``."""
        sk = inet_sk(sock.sk)
        return sk.proto.recvmsg(task, sk, msg, flags)

    def poll(self, task: Task, file: File, sock: Socket) -> int:
        """Ask the protocol."""
        sk = inet_sk(sock.sk)
        return sk.proto.poll(task.kernel, sk)

    def ioctl(self, task: Task, sock: Socket, cmd: int, arg: Any) -> Result:
        """``inet_ioctl()``, down to the protocol's."""
        sk = inet_sk(sock.sk)
        return sk.proto.ioctl(task.kernel, sk, cmd, arg)

    def gettstamp(self, task: Task, sock: Socket, arg: Any) -> NoReturn:
        """``sock_gettstamp()``."""
        sock_gettstamp(task, inet_sk(sock.sk), arg)

    def setsockopt(self, task: Task, sock: Socket, level: int, optname: int, optval: bytes) -> int:
        """``sock_common_setsockopt()``."""
        sk = inet_sk(sock.sk)
        return sk.proto.setsockopt(task, sk, level, optname, optval)

    def getsockopt(self, task: Task, sock: Socket, level: int, optname: int, optlen: int) -> OptionValue:
        """``sock_common_getsockopt()``."""
        sk = inet_sk(sock.sk)
        return sk.proto.getsockopt(task, sk, level, optname, optlen)


class PacketOps(InetOps):
    """What ``inet_dgram_ops`` and ``inet_sockraw_ops`` have in common."""

    def connect(self, task: Task, sock: Socket, addr: bytes, flags: int) -> int:
        """``inet_dgram_connect()``."""
        kernel = task.kernel
        sk = inet_sk(sock.sk)
        if len(addr) < 2:
            raise Errno("EINVAL")
        if int.from_bytes(addr[:2], "little") == AF_UNSPEC:
            sk.proto.disconnect(kernel, sk)
            return 0
        inet_autobind(kernel, sk)
        sk.proto.connect(kernel, sk, addr)
        return 0


def inet_autobind(kernel: Kernel, sk: Inet) -> None:
    """Bind to any port (``inet_autobind()``)."""
    if not sk.inet_num:
        try:
            sk.proto.get_port(kernel, sk, 0)
        except Errno:
            raise Errno("EAGAIN") from None
        sk.sport = sk.inet_num
