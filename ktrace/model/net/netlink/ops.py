"""``netlink_ops``: names, groups, options, messages to each other (``net/netlink/af_netlink.c``)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NoReturn

from ktrace.include.linux.netlink import NL_CFG_F_NONROOT_RECV, NL_CFG_F_NONROOT_SEND
from ktrace.model.fs.file import File
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.datagram import ReceiveShutdown, datagram_poll, skb_free_datagram, skb_recv_datagram
from ktrace.model.net.core.proto_ops import InMessage, OutMessage, ProtoOps
from ktrace.model.net.core.scm import put_cmsg
from ktrace.model.net.core.sock import Socket, sock_orphan
from ktrace.model.net.core.sock_wait import sock_sndtimeo
from ktrace.model.net.netlink.rcv_skb import netlink_rcv_skb
from ktrace.model.net.netlink.sock import NETLINK_FLAGS, Netlink, has_room, make_skb, nlk_sk, queue
from ktrace.model.net.socket import family
from ktrace.model.task import Errno, Task
from ktrace.model.wait import Sleeps
from ktrace.state.net.netlink import NetlinkTable
from ktrace.state.net.sockaddr import pack
from ktrace.state.rule import Rule
from ktrace.uapi.limits import UINT_MAX
from ktrace.uapi.netlink import (
    MAX_LINKS,
    NETLINK_ADD_MEMBERSHIP,
    NETLINK_DROP_MEMBERSHIP,
    NETLINK_LIST_MEMBERSHIPS,
    NETLINK_LISTEN_ALL_NSID,
    NETLINK_NO_ENOBUFS,
    NETLINK_PKTINFO,
    SIZEOF_SOCKADDR_NL,
)
from ktrace.uapi.socket import (
    AF_NETLINK,
    AF_UNSPEC,
    MSG_DONTWAIT,
    MSG_OOB,
    MSG_PEEK,
    MSG_TRUNC,
    SOCK_DGRAM,
    SOCK_RAW,
    SOL_NETLINK,
)

if TYPE_CHECKING:
    from ktrace.model.observed import Observed


RTNLGRP_MROUTE_R = (30, 31)

LOWEST, HIGHEST = 1 << 31, (1 << 32) - 4097
ROVER = Rule("net/netlink/af_netlink.c", "netlink_autobind", "any negative number where one's own is taken")


@family("netlink_create")
def netlink_create(task: Task, socket: Socket, protocol: int) -> None:
    """Make an AF_NETLINK socket (``netlink_create()``)."""
    kernel = task.kernel
    own = kernel.net
    socket.state = "SS_UNCONNECTED"
    if socket.type not in (SOCK_RAW, SOCK_DGRAM):
        raise Errno("ESOCKTNOSUPPORT")
    if not 0 <= protocol < MAX_LINKS or protocol not in own.facts.netlink:
        raise Errno("EPROTONOSUPPORT")
    socket.ops = NETLINK_OPS
    socket.sk = Netlink(
        kernel.serial(), "AF_NETLINK", "netlink_proto", protocol, own.setting("core/rmem_default"),
        own.setting("core/wmem_default"), type=socket.type, flags={"SOCK_ZAPPED"}, uid=socket.i_uid, socket=socket,
        wq=socket.wq,
    )  # fmt: skip


class NetlinkOps(ProtoOps):
    """``netlink_ops``."""

    name = "netlink_ops"
    family = AF_NETLINK

    def release(self, task: Task, sock: Socket) -> None:
        """``netlink_release()``."""
        if sock.sk is not None:
            sk = nlk_sk(sock.sk)
            if sk.bound:
                task.kernel.net.netlink.hash(sk.protocol).pop(sk.portid, None)
            sock_orphan(sk)
            sock.sk = None

    def bind(self, task: Task, sock: Socket, addr: bytes) -> int:
        """``netlink_bind()``."""
        kernel = task.kernel
        sk = nlk_sk(sock.sk)
        if len(addr) < SIZEOF_SOCKADDR_NL:
            raise Errno("EINVAL")
        family_, portid, groups = struct.unpack_from("<H2xII", addr)
        if family_ != AF_NETLINK:
            raise Errno("EINVAL")
        if groups:
            self._allowed(task, sk, NL_CFG_F_NONROOT_RECV)
            sk.ngroups = max(sk.ngroups, _table(kernel, sk).groups)
        if sk.ngroups < 64:
            groups &= (1 << sk.ngroups) - 1
        if sk.bound and portid != sk.portid:
            raise Errno("EINVAL")
        for group in (bit + 1 for bit in range(32) if groups >> bit & 1):
            self._join(task, sk, group)
        if not sk.bound:
            if portid:
                self._insert(kernel, sk, portid)
            else:
                self._autobind(task, sk)
        if groups or sk.groups & UINT_MAX:
            sk.groups = sk.groups & ~UINT_MAX | groups
        return 0

    def _allowed(self, task: Task, sk: Netlink, flag: int) -> None:
        """``netlink_allowed()``."""
        if not _table(task.kernel, sk).flags & flag and not task.cred.capable("CAP_NET_ADMIN"):
            raise Errno("EPERM")

    def _join(self, task: Task, sk: Netlink, group: int) -> None:
        """Ask the protocol about a group (``rtnetlink_bind()``)."""
        bind = _table(task.kernel, sk).bind
        if bind == "rtnetlink_bind":
            if group in RTNLGRP_MROUTE_R and not task.cred.capable("CAP_NET_ADMIN"):
                raise Errno("EPERM")
        elif bind is not None:
            raise NotImplementedError(f"the model does not know who may join group {group} ({bind}())")

    def _insert(self, kernel: Kernel, sk: Netlink, portid: int) -> None:
        """``netlink_insert()``."""
        sk.portid = portid
        if portid in kernel.net.netlink.hash(sk.protocol):
            raise Errno("EADDRINUSE")
        kernel.net.netlink.hash(sk.protocol)[portid] = sk
        sk.bound = True

    def _autobind(self, task: Task, sk: Netlink) -> None:
        """Take the process's number, any negative one where somebody has that (``netlink_autobind()``)."""
        kernel = task.kernel
        table = kernel.net.netlink.hash(sk.protocol)
        portid = task.process.pid
        if portid in table:

            def free(number: int) -> bool:
                return LOWEST <= number <= HIGHEST and number not in table

            def find(seen: Observed) -> int | None:
                twin = seen.sock(sk)
                if twin is not None and twin.netlink is not None:
                    return twin.netlink.portid
                socks = (value for value in seen.socks() if value.sk_protocol == sk.protocol)
                portids = (value.netlink.portid for value in socks if value.netlink is not None)
                return next(filter(free, portids), None)

            portid = kernel.choose(ROVER, find, free, HIGHEST)
        self._insert(kernel, sk, portid)

    def connect(self, task: Task, sock: Socket, addr: bytes, flags: int) -> int:
        """``netlink_connect()``: its states are 0 and 1, which TCP calls otherwise."""
        sk = nlk_sk(sock.sk)
        if len(addr) < 2:
            raise Errno("EINVAL")
        family_ = int.from_bytes(addr[:2], "little")
        if family_ == AF_UNSPEC:
            sk.state = "0"
            sk.dst_portid = sk.dst_group = 0
            return 0
        if family_ != AF_NETLINK or len(addr) < SIZEOF_SOCKADDR_NL:
            raise Errno("EINVAL")
        _, portid, groups = struct.unpack_from("<H2xII", addr)
        if groups or portid:
            self._allowed(task, sk, NL_CFG_F_NONROOT_SEND)
        if not sk.bound:
            self._autobind(task, sk)
        sk.state = "TCP_ESTABLISHED"
        sk.dst_portid, sk.dst_group = portid, _ffs(groups)
        return 0

    def getname(self, kernel: Kernel, sock: Socket, peer: int) -> bytes:
        """``netlink_getname()``."""
        sk = nlk_sk(sock.sk)
        if peer:
            return _sockaddr(sk.dst_portid, 1 << sk.dst_group - 1 if sk.dst_group else 0)
        return _sockaddr(sk.portid, sk.groups & UINT_MAX)

    def poll(self, task: Task, file: File, sock: Socket) -> int:
        """``datagram_poll()``."""
        return datagram_poll(nlk_sk(sock.sk))

    def ioctl(self, task: Task, sock: Socket, cmd: int, arg: Any) -> NoReturn:
        """``netlink_ioctl()``."""
        raise Errno("ENOIOCTLCMD")

    def sendmsg(self, task: Task, sock: Socket, msg: OutMessage) -> int:
        """``netlink_sendmsg()``."""
        sk = nlk_sk(sock.sk)
        length = msg.source.count
        if msg.flags & MSG_OOB:
            raise Errno("EOPNOTSUPP")
        if not length:
            raise Errno("ENODATA")
        if msg.control:
            raise NotImplementedError("the model does not send control messages through netlink")
        portid, group = sk.dst_portid, sk.dst_group
        if msg.name:
            if len(msg.name) < SIZEOF_SOCKADDR_NL:
                raise Errno("EINVAL")
            family_, portid, groups = struct.unpack_from("<H2xII", msg.name)
            if family_ != AF_NETLINK:
                raise Errno("EINVAL")
            group = _ffs(groups)
            if group or portid:
                self._allowed(task, sk, NL_CFG_F_NONROOT_SEND)
        if not sk.bound:
            self._autobind(task, sk)
        if length > sk.sndbuf - 32:
            raise Errno("EMSGSIZE")
        data = msg.source.copy_all()
        if group:
            raise NotImplementedError("the model does not send to netlink groups")
        return self._unicast(task, sk, data, portid, msg.flags)

    def _unicast(self, task: Task, sk: Netlink, data: bytes, portid: int, flags: int) -> int:
        """``netlink_unicast()``."""
        kernel = task.kernel
        receiver = kernel.net.netlink.hash(sk.protocol).get(portid)
        if portid == 0 and receiver is None:
            if not _table(kernel, sk).input:
                raise Errno("ECONNREFUSED")
            netlink_rcv_skb(kernel, sk, data)
            return len(data)
        if receiver is None or (receiver.state == "TCP_ESTABLISHED" and receiver.dst_portid != sk.portid):
            raise Errno("ECONNREFUSED")
        skb = make_skb(kernel, data, receiver, sk.portid)
        if not has_room(receiver, skb):
            if sock_sndtimeo(sk, flags & MSG_DONTWAIT):
                raise NotImplementedError("the model does not wait for room in a netlink socket")
            raise Errno("EAGAIN")
        queue(kernel, receiver, skb)
        return len(data)

    def recvmsg(self, task: Task, sock: Socket, msg: InMessage, flags: int) -> Sleeps[int]:
        """``netlink_recvmsg()``."""
        sk = nlk_sk(sock.sk)
        if flags & MSG_OOB:
            raise Errno("EOPNOTSUPP")
        if "SOCK_PASSCRED" in sock.flags:
            raise NotImplementedError("the model does not know the credentials that netlink tells")
        try:
            skb, _ = yield from skb_recv_datagram(task, sk, flags)
        except (Errno, ReceiveShutdown):
            self._rcv_wake(sk)
            raise
        copied = len(skb)
        if copied > msg.destination.count:
            msg.flags |= MSG_TRUNC
            copied = msg.destination.count
        fault = msg.destination.copy(skb.data[:copied]) < copied
        assert skb.addr is not None
        msg.name = _sockaddr(skb.addr[1], 0)
        if "RECV_PKTINFO" in sk.nl_flags:
            put_cmsg(msg, SOL_NETLINK, NETLINK_PKTINFO, bytes(4))
        if not flags & MSG_PEEK:
            skb_free_datagram(sk, skb)
        self._rcv_wake(sk)
        if fault:
            raise Errno("EFAULT")
        return len(skb) if flags & MSG_TRUNC else copied

    def _rcv_wake(self, sk: Netlink) -> None:
        """``netlink_rcv_wake()``: nobody waits, as the model has it."""
        if not sk.receive_queue:
            sk.congested = False

    def setsockopt(self, task: Task, sock: Socket, level: int, optname: int, optval: bytes) -> int:
        """``netlink_setsockopt()``."""
        sk = nlk_sk(sock.sk)
        if level != SOL_NETLINK:
            raise Errno("ENOPROTOOPT")
        value: int = struct.unpack_from("<I", optval)[0] if len(optval) >= 4 else 0
        if optname in (NETLINK_ADD_MEMBERSHIP, NETLINK_DROP_MEMBERSHIP):
            self._allowed(task, sk, NL_CFG_F_NONROOT_RECV)
            sk.ngroups = max(sk.ngroups, _table(task.kernel, sk).groups)
            if not 1 <= value <= sk.ngroups:
                raise Errno("EINVAL")
            if optname == NETLINK_ADD_MEMBERSHIP:
                self._join(task, sk, value)
                sk.groups |= 1 << value - 1
            else:
                sk.groups &= ~(1 << value - 1)
            return 0
        if optname not in NETLINK_FLAGS:
            raise Errno("ENOPROTOOPT")
        if optname == NETLINK_LISTEN_ALL_NSID and not task.cred.capable("CAP_NET_BROADCAST"):
            raise Errno("EPERM")
        if value:
            sk.nl_flags.add(NETLINK_FLAGS[optname])
        else:
            sk.nl_flags.discard(NETLINK_FLAGS[optname])
        if optname == NETLINK_NO_ENOBUFS and value:
            sk.congested = False
        return 0

    def getsockopt(self, task: Task, sock: Socket, level: int, optname: int, optlen: int) -> bytes:
        """``netlink_getsockopt()``."""
        sk = nlk_sk(sock.sk)
        if level != SOL_NETLINK:
            raise Errno("ENOPROTOOPT")
        if optlen < 0:
            raise Errno("EINVAL")
        if optname == NETLINK_LIST_MEMBERSHIPS:
            raise NotImplementedError("the model does not list the groups of a netlink socket")
        if optname not in NETLINK_FLAGS or optname == NETLINK_LISTEN_ALL_NSID:
            raise Errno("ENOPROTOOPT")
        if optlen < 4:
            raise Errno("EINVAL")
        return struct.pack("<I", NETLINK_FLAGS[optname] in sk.nl_flags)


def _table(kernel: Kernel, sk: Netlink) -> NetlinkTable:
    return kernel.net.facts.netlink_tables[sk.protocol]


def _sockaddr(portid: int, groups: int) -> bytes:
    return pack({"sa_family": AF_NETLINK, "nl_pid": portid, "nl_groups": groups})


def _ffs(mask: int) -> int:
    """``ffs()``."""
    return (mask & -mask).bit_length()


NETLINK_OPS = NetlinkOps()
