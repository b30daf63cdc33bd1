"""``tcpv6_prot`` and ``inet6_stream_ops`` (``net/ipv6/tcp_ipv6.c``)."""

from __future__ import annotations

from ktrace.include.net.ipv6 import IPV6_FLOWINFO_MASK, SIN6_LEN_RFC2133
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.proto_ops import OptionValue
from ktrace.model.net.inet.addr4 import LOOPBACK_ADDRESS
from ktrace.model.net.inet.addr6 import (
    ANY6,
    LOOPBACK4_IPV6,
    LOOPBACK6,
    inet6_address,
    is_link_local,
    is_multicast,
    mapped_v4,
    v4mapped,
)
from ktrace.model.net.inet.option6 import get_ipv6_option, set_ipv6_option
from ktrace.model.net.inet.route import route6
from ktrace.model.net.inet.sock import Answered
from ktrace.model.net.inet.socket import register, sockaddr_in
from ktrace.model.net.inet.socket6 import Inet6Ops
from ktrace.model.net.inet.tcp.connect import hash_and_connect, tcp_v4_connect
from ktrace.model.net.inet.tcp.ops import STREAM_OPS, TCP, StreamOps, TcpProto
from ktrace.model.net.inet.tcp.sock import Tcp
from ktrace.model.task import Errno, Task
from ktrace.uapi.in6 import SIZEOF_SOCKADDR_IN6
from ktrace.uapi.socket import AF_INET6, SOL_TCP

FLOW_ECN = 3 << 20


class Tcp6Proto(TcpProto):
    """``tcpv6_prot``."""

    def init(self, task: Task, sk: Tcp) -> None:
        """``tcp_v6_init_sock()``."""
        super().init(task, sk)
        sk.af_ops = "ipv6_specific"

    def connect(self, kernel: Kernel, sk: Tcp, addr: bytes) -> Answered | None:
        """``tcp_v6_connect()``."""
        return tcp_v6_connect(kernel, sk, addr)

    def become_ipv4(self, sk: Tcp) -> None:
        """Go on as ``tcp_prot``."""
        assert sk.socket is not None
        sk.prot, sk.proto, sk.af_ops = "tcp_prot", TCP, "ipv4_specific"
        sk.socket.ops = STREAM_OPS

    def setsockopt(self, task: Task, sk: Tcp, level: int, optname: int, optval: bytes) -> int:
        """``tcp_setsockopt()``, then ``icsk_af_ops->setsockopt``."""
        if level == SOL_TCP:
            return super().setsockopt(task, sk, level, optname, optval)
        return set_ipv6_option(task, sk, level, optname, optval)

    def getsockopt(self, task: Task, sk: Tcp, level: int, optname: int, optlen: int) -> OptionValue:
        """``tcp_getsockopt()``, then ``icsk_af_ops->getsockopt``."""
        if level == SOL_TCP:
            return super().getsockopt(task, sk, level, optname, optlen)
        return get_ipv6_option(task.kernel, sk, level, optname, optlen)


def tcp_v6_connect(kernel: Kernel, sk: Tcp, addr: bytes) -> Answered | None:
    """Send a SYN, over IPv4 to a mapped address (``tcp_v6_connect()``); return the effect of its answer.

    :raises Errno: EINVAL, EAFNOSUPPORT, ENETUNREACH, EADDRNOTAVAIL
    """
    if len(addr) < SIN6_LEN_RFC2133:
        raise Errno("EINVAL")
    family, daddr, dport, flow, scope = inet6_address(addr)
    if family != AF_INET6:
        raise Errno("EAFNOSUPPORT")
    np = sk.np
    if daddr == ANY6:
        daddr = v4mapped(LOOPBACK_ADDRESS) if mapped_v4(sk.v6_rcv_saddr) is not None else LOOPBACK6
    if is_multicast(daddr):
        raise Errno("ENETUNREACH")
    if is_link_local(daddr):
        if len(addr) >= SIZEOF_SOCKADDR_IN6 and scope:
            if sk.bound_dev_if not in (0, scope):
                raise Errno("EINVAL")
            sk.bound_dev_if = scope
        if not sk.bound_dev_if:
            raise Errno("EINVAL")
    sk.v6_daddr = daddr
    np.flow_label = flow & IPV6_FLOWINFO_MASK & ~FLOW_ECN if "sndflow" in np.bits else 0
    inside = mapped_v4(daddr)
    if inside is not None:
        return _connect_mapped(kernel, sk, inside, dport)
    try:
        saddr = route6(sk.v6_rcv_saddr if sk.v6_rcv_saddr != ANY6 else np.saddr, daddr)
    except Errno:
        sk.dport = 0
        raise
    if sk.v6_rcv_saddr == ANY6:
        sk.v6_rcv_saddr = saddr  # inet_bhash2_update_saddr()
    np.saddr = sk.v6_rcv_saddr
    sk.rcv_saddr = LOOPBACK4_IPV6
    sk.dport = dport
    return hash_and_connect(kernel, sk)


def _connect_mapped(kernel: Kernel, sk: Tcp, inside: str, dport: int) -> Answered | None:
    """Connect over IPv4; from now on the sock uses IPv4 below (``ipv6_mapped``)."""
    if sk.ipv6only:
        raise Errno("ENETUNREACH")
    sk.af_ops = "ipv6_mapped"
    try:
        answer = tcp_v4_connect(kernel, sk, sockaddr_in(inside, dport))
    except Errno:
        sk.af_ops = "ipv6_specific"
        sk.dport = 0
        raise
    sk.np.saddr = sk.v6_rcv_saddr
    return answer


class Stream6Ops(Inet6Ops, StreamOps):
    """``inet6_stream_ops``."""

    name = "inet6_stream_ops"


register("tcpv6_prot", Tcp6Proto(), Stream6Ops())
