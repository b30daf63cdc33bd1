"""``struct inet_sock``, and what a protocol below AF_INET can do: ``struct proto``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ktrace.model.kernel import Kernel
from ktrace.model.net.core.proto_ops import InMessage, OptionValue, OutMessage
from ktrace.model.net.core.sock import Sock
from ktrace.model.net.inet.addr4 import ANY
from ktrace.model.net.inet.addr6 import ANY6, mapped_v4, v4mapped
from ktrace.model.task import Errno, Task
from ktrace.model.wait import MaySleep
from ktrace.state.call import Result
from ktrace.state.net.inet import InetSock, Ipv6Sock
from ktrace.uapi.in_ import (
    IP_CHECKSUM,
    IP_MINTTL,
    IP_MTU_DISCOVER,
    IP_MULTICAST_TTL,
    IP_PASSSEC,
    IP_PKTINFO,
    IP_PMTUDISC_WANT,
    IP_RECVFRAGSIZE,
    IP_RECVOPTS,
    IP_RECVORIGDSTADDR,
    IP_RECVTOS,
    IP_RECVTTL,
    IP_RETOPTS,
)
from ktrace.uapi.socket import SOL_IP

if TYPE_CHECKING:
    from ktrace.model.net.core.reuseport import SockReuseport
    from ktrace.model.net.inet.path_mtu6 import PathMtu

DEFAULT_HOPS = 64
"""``IPDEFTTL``, ``IPV6_DEFAULT_HOPLIMIT``; nobody changes the settings."""


@dataclass(eq=False)
class Pinet6:
    """Mirror one ``struct ipv6_pinfo``, as ``inet6_create()`` leaves it.

    :param rxopt: what recvmsg() is to tell of a packet
    :param rxpmtu: what is to be told of a packet that was too long
    """

    saddr: str = ANY6
    flow_label: int = 0
    frag_size: int = 0
    hop_limit: int = -1
    mcast_hops: int = 1
    ucast_oif: int = 0
    mcast_oif: int = 0
    tclass: int = 0
    pmtudisc: int = 1
    srcprefs: int = 0
    min_hopcount: int = 0
    bits: set[str] = field(default_factory=lambda: {"mc_loop", "mc_all"})
    rxopt: set[str] = field(default_factory=set)
    rxpmtu: PathMtu | None = None


CMSG_FLAGS = {
    IP_PKTINFO: "PKTINFO", IP_RECVTTL: "TTL", IP_RECVTOS: "TOS", IP_RECVOPTS: "RECVOPTS", IP_RETOPTS: "RETOPTS",
    IP_PASSSEC: "PASSSEC", IP_RECVORIGDSTADDR: "ORIGDSTADDR", IP_CHECKSUM: "CHECKSUM", IP_RECVFRAGSIZE: "RECVFRAGSIZE",
}  # fmt: skip
"""Bits of ``inet_sock.cmsg_flags`` by the option that sets them, in their order."""


@dataclass(eq=False)
class Inet(Sock):
    """Mirror one ``struct inet_sock``; addresses as text, ports in host byte order.

    :param options: options that change nothing else, by level and number
    :param bind_hash: the port whose bucket it is in
    :param proto: the model of its ``struct proto``
    :param v6_rcv_saddr: ``skc_v6_rcv_saddr``; *v6_daddr*, *ipv6only* likewise; kept for AF_INET6 only
    :param pinet6: what only an AF_INET6 sock has
    :param mc_list: groups that it joined, the last first: group, address, interface
    :param flow: where the last connect() or corked message went (``inet->cork.fl``); *flow_saddr*: from where
    :param reuseport_cb: the group that it is in
    :param zckey: ``sk_zckey``: sends with MSG_ZEROCOPY
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
    proto: Proto[Any] = field(kw_only=True)
    v6_rcv_saddr: str = ANY6
    v6_daddr: str = ANY6
    ipv6only: bool = False
    pinet6: Pinet6 | None = None
    flow: tuple[str, int] | None = None
    flow_saddr: str = ANY
    uc_index: int = 0
    mc_index: int = 0
    mc_addr: str = ANY
    mc_list: list[tuple[str, str, int]] = field(default_factory=list)
    reuseport_cb: SockReuseport[Any] | None = None
    zckey: int = 0

    @property
    def np(self) -> Pinet6:
        """Return its ``struct ipv6_pinfo`` (``inet6_sk()``)."""
        assert self.pinet6 is not None
        return self.pinet6

    def set_rcv_saddr(self, address: str) -> None:
        """Set both forms of the local IPv4 address (``sk_rcv_saddr_set()``)."""
        self.rcv_saddr = address
        if self.family == "AF_INET6":
            self.v6_rcv_saddr = v4mapped(address)

    def set_daddr(self, address: str) -> None:
        """Set both forms of the peer's IPv4 address (``sk_daddr_set()``)."""
        self.daddr = address
        if self.family == "AF_INET6":
            self.v6_daddr = v4mapped(address)

    def reset_saddr(self) -> None:
        """Forget the local address (``inet_reset_saddr()``)."""
        self.saddr = self.rcv_saddr = ANY
        if self.family == "AF_INET6":
            self.np.saddr = self.v6_rcv_saddr = ANY6

    def endpoints(self) -> tuple[str, str]:
        """Return local and remote address as packets of this connection carry them (``sk_ehashfn()``)."""
        if self.family == "AF_INET6" and mapped_v4(self.v6_daddr) is None:
            return self.v6_rcv_saddr, self.v6_daddr
        return self.rcv_saddr, self.daddr

    def sock_uid(self) -> int:
        """Return the owner of its socket's inode, root where it has none (``sock_i_uid()``)."""
        return self.socket.i_uid if self.socket is not None else 0

    def view_parts(self) -> dict[str, Any]:
        """Return the parts behind the ``struct sock``."""
        return {
            "ipv6": self._view_ipv6(),
            "inet": InetSock(
                inet_num=self.inet_num,
                inet_sport=self.sport,
                inet_dport=self.dport,
                inet_saddr=self.saddr,
                inet_rcv_saddr=self.rcv_saddr,
                inet_daddr=self.daddr,
                uc_ttl=self.uc_ttl,
                tos=self.tos,
                bits=tuple(sorted(self.bits)),
                cmsg_flags=tuple(name for option, name in CMSG_FLAGS.items() if self.options.get((0, option))),
                min_ttl=self.options.get((SOL_IP, IP_MINTTL), 0),
                pmtudisc=self.options.get((SOL_IP, IP_MTU_DISCOVER), IP_PMTUDISC_WANT),
                mc_ttl=self.options.get((SOL_IP, IP_MULTICAST_TTL), 1),
                mc_index=self.mc_index,
                mc_addr=self.mc_addr,
                mc_list=tuple(f"{group} {index}" for group, _, index in self.mc_list),
            ),
        }

    def corked_over_ipv6(self) -> bool:
        """Tell whether an IPv6 message is held back (``udp_sock.pending``)."""
        return False

    def hop_limit(self, daddr: str) -> tuple[int, int]:
        """Return TTL and type of service, or hop limit and traffic class, of its packets to *daddr*.

        ``ip_select_ttl()``, ``ip6_sk_dst_hoplimit()``.
        """
        limit, tos = self.uc_ttl, self.tos
        if ":" not in daddr and 224 <= int(daddr.partition(".")[0]) < 240:
            limit = self.options.get((0, IP_MULTICAST_TTL), 1)
        if self.pinet6 is not None and ":" in daddr:
            limit, tos = self.pinet6.hop_limit, self.pinet6.tclass
        return limit if limit >= 0 else DEFAULT_HOPS, tos

    def _view_ipv6(self) -> Ipv6Sock | None:
        np = self.pinet6
        if np is None or self.family != "AF_INET6":
            return None
        return Ipv6Sock(
            saddr=np.saddr,
            v6_rcv_saddr=self.v6_rcv_saddr,
            v6_daddr=self.v6_daddr,
            ipv6only=self.ipv6only,
            flow_label=np.flow_label,
            frag_size=np.frag_size,
            hop_limit=np.hop_limit,
            mcast_hops=np.mcast_hops,
            ucast_oif=np.ucast_oif,
            mcast_oif=np.mcast_oif,
            tclass=np.tclass,
            pmtudisc=np.pmtudisc,
            srcprefs=np.srcprefs,
            min_hopcount=np.min_hopcount,
            bits=tuple(sorted(np.bits)),
            rxopt=tuple(sorted(np.rxopt)),
        )


def inet_sk(sk: Sock | None) -> Inet:
    """Return *sk*, which is one of the internet (``inet_sk()``)."""
    assert isinstance(sk, Inet)
    return sk


S = TypeVar("S", bound=Inet)
Answered = Callable[[], None]
"""What the answer to a SYN does, once the sock is unlocked."""


class Proto(Generic[S]):
    """Mirror a ``struct proto`` without members; each protocol overrides those that it has."""

    sock: type[S]
    """What it allocates (``obj_size``)."""

    has_bind = False
    no_autobind = False

    def init(self, task: Task, sk: S) -> None:
        """Set up a new sock (``proto.init``)."""

    def bind(self, task: Task, sk: S, addr: bytes) -> int:
        """Bind its own way (``proto.bind``)."""
        raise NotImplementedError

    def connect(self, kernel: Kernel, sk: S, addr: bytes) -> Answered | None:
        """Connect (``proto.connect``)."""
        raise NotImplementedError

    def become_ipv4(self, sk: S) -> None:
        """Turn into a sock of the AF_INET protocol (IPV6_ADDRFORM in ``do_ipv6_setsockopt()``)."""
        raise NotImplementedError

    def get_port(self, kernel: Kernel, sk: S, port: int) -> None:
        """Take a port, any where *port* is 0 (``proto.get_port``)."""
        raise NotImplementedError

    def close(self, task: Task, sk: S, timeout: int | None) -> MaySleep[None]:
        """End the sock (``proto.close``)."""
        raise NotImplementedError

    def disconnect(self, kernel: Kernel, sk: S) -> None:
        """Forget the peer (``proto.disconnect``)."""
        raise NotImplementedError

    def shutdown(self, kernel: Kernel, sk: S, how: int) -> None:
        """Tell the peer that nothing more is sent (``proto.shutdown``)."""

    def sendmsg(self, task: Task, sk: S, msg: OutMessage) -> MaySleep[int]:
        """Send (``proto.sendmsg``)."""
        raise NotImplementedError

    def recvmsg(self, task: Task, sk: S, msg: InMessage, flags: int) -> MaySleep[int]:
        """Receive (``proto.recvmsg``)."""
        raise NotImplementedError

    def poll(self, kernel: Kernel, sk: S) -> int:
        """Return the poll mask."""
        raise NotImplementedError

    def ioctl(self, kernel: Kernel, sk: S, cmd: int, arg: Any) -> Result:
        """Do an ioctl (``proto.ioctl``)."""
        raise Errno("ENOIOCTLCMD")

    def setsockopt(self, task: Task, sk: S, level: int, optname: int, optval: bytes) -> int:
        """Set an option of the protocol (``proto.setsockopt``)."""
        raise Errno("ENOPROTOOPT")

    def getsockopt(self, task: Task, sk: S, level: int, optname: int, optlen: int) -> OptionValue:
        """Get an option of the protocol (``proto.getsockopt``)."""
        raise Errno("ENOPROTOOPT")
