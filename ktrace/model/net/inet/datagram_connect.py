"""Connect a socket of packets: UDP, ping and raw ones (``net/ipv4/datagram.c``, ``net/ipv6/datagram.c``)."""

from __future__ import annotations

from collections.abc import Callable

from ktrace.include.net.ipv6 import IPV6_FLOWINFO_MASK, SIN6_LEN_RFC2133
from ktrace.model.kernel import Kernel
from ktrace.model.net.inet.addr4 import ANY, LOOPBACK_ADDRESS
from ktrace.model.net.inet.addr6 import (
    ANY6,
    LOOPBACK4_IPV6,
    LOOPBACK6,
    MAPPED_ANY,
    inet6_address,
    is_multicast,
    mapped_v4,
    needs_scope_id,
    v4mapped,
)
from ktrace.model.net.inet.route import ip_route_output_flow, route6
from ktrace.model.net.inet.sock import Inet
from ktrace.model.net.inet.socket import inet_address, sockaddr_in
from ktrace.model.task import Errno
from ktrace.uapi.in6 import SIZEOF_SOCKADDR_IN6
from ktrace.uapi.in_ import SIZEOF_SOCKADDR_IN
from ktrace.uapi.socket import AF_INET, AF_INET6

Rehash = Callable[[], None]


def ip4_datagram_connect(sk: Inet, addr: bytes, rehash: Rehash) -> None:
    """Name the peer (``__ip4_datagram_connect()``).

    :param rehash: called when the local address changed (``proto.rehash``)
    :raises Errno: EINVAL, EAFNOSUPPORT, ENETUNREACH, EACCES
    """
    if len(addr) < SIZEOF_SOCKADDR_IN:
        raise Errno("EINVAL")
    family, daddr, dport = inet_address(addr)
    if family != AF_INET:
        raise Errno("EAFNOSUPPORT")
    sk.dst_cached = False
    sk.flow = daddr, dport
    flow = ip_route_output_flow(sk, daddr)
    daddr = flow.daddr
    sk.flow, sk.flow_saddr = (daddr, dport), flow.saddr
    if sk.saddr == ANY:
        sk.saddr = flow.saddr
    if sk.rcv_saddr == ANY:
        sk.rcv_saddr = flow.saddr
        rehash()
    sk.daddr, sk.dport = daddr, dport
    _has_conns(sk)
    sk.state = "TCP_ESTABLISHED"
    sk.dst_cached = True


def ip6_datagram_connect(kernel: Kernel, sk: Inet, addr: bytes, rehash: Rehash) -> None:
    """Name the peer, which may be an IPv4 one (``__ip6_datagram_connect()``).

    Later kernels look for the way in ``inet->cork.fl``, as IPv4 always did: that is where what is held back goes.

    :raises Errno: EINVAL, EAFNOSUPPORT, ENETUNREACH, EACCES
    """
    np = sk.np
    if int.from_bytes(addr[:2], "little") == AF_INET:
        if sk.ipv6only:
            raise Errno("EAFNOSUPPORT")
        _connect_mapped(sk, addr, rehash)
        return
    if len(addr) < SIN6_LEN_RFC2133:
        raise Errno("EINVAL")
    family, daddr, dport, flow, scope = inet6_address(addr)
    if family != AF_INET6:
        raise Errno("EAFNOSUPPORT")
    if daddr == ANY6:
        daddr = v4mapped(LOOPBACK_ADDRESS) if mapped_v4(sk.v6_rcv_saddr) is not None else LOOPBACK6
    inside = mapped_v4(daddr)
    if inside is not None:
        if sk.ipv6only:
            raise Errno("ENETUNREACH")
        _connect_mapped(sk, sockaddr_in(inside, dport), rehash)
        return
    if needs_scope_id(daddr):
        if len(addr) >= SIZEOF_SOCKADDR_IN6 and scope:
            if sk.bound_dev_if not in (0, scope):
                raise Errno("EINVAL")
            sk.bound_dev_if = scope
        if not sk.bound_dev_if and is_multicast(daddr):
            sk.bound_dev_if = np.mcast_oif
        if not sk.bound_dev_if:
            raise Errno("EINVAL")
    before = sk.v6_daddr, np.flow_label, sk.dport
    sk.v6_daddr, sk.dport = daddr, dport
    np.flow_label = flow & IPV6_FLOWINFO_MASK if "sndflow" in np.bits else 0
    if kernel.changes.ip6_flow_in_cork:
        sk.flow = daddr, dport
    try:
        saddr = route6(np.saddr, daddr)
    except Errno:
        sk.v6_daddr, np.flow_label, sk.dport = before
        raise
    # ip6_datagram_dst_update()
    if np.saddr == ANY6:
        np.saddr = saddr
    if sk.v6_rcv_saddr == ANY6:
        sk.v6_rcv_saddr = saddr
        sk.rcv_saddr = LOOPBACK4_IPV6
        rehash()
    sk.dst_cached = True
    _has_conns(sk)
    sk.state = "TCP_ESTABLISHED"


def _has_conns(sk: Inet) -> None:
    """``reuseport_has_conns_set()``."""
    if sk.reuseport_cb is not None:
        sk.reuseport_cb.has_conns = True


def udp_disconnect(sk: Inet, rehash: Rehash, unhash: Callable[[], None]) -> None:
    """Forget the peer, and the port unless bind() chose it (``__udp_disconnect()``)."""
    sk.state = "TCP_CLOSE"
    sk.daddr, sk.dport = ANY, 0
    sk.bound_dev_if = 0
    sk.dst_cached = False
    if "SOCK_BINDADDR_LOCK" not in sk.userlocks:
        sk.reset_saddr()
        if "SOCK_BINDPORT_LOCK" in sk.userlocks:
            rehash()
    if "SOCK_BINDPORT_LOCK" not in sk.userlocks:
        unhash()
        sk.sport = 0


def _connect_mapped(sk: Inet, addr: bytes, rehash: Rehash) -> None:
    ip4_datagram_connect(sk, addr, rehash)
    sk.v6_daddr = v4mapped(sk.daddr)
    if sk.np.saddr in (ANY6, MAPPED_ANY):
        sk.np.saddr = v4mapped(sk.saddr)
    if sk.v6_rcv_saddr in (ANY6, MAPPED_ANY):
        sk.v6_rcv_saddr = v4mapped(sk.rcv_saddr)
        rehash()


def ip6_datagram_connect_v6_only(kernel: Kernel, sk: Inet, addr: bytes) -> None:
    """Set the default receiver of a sock that has no IPv4 below (``ip6_datagram_connect_v6_only()``).

    :raises Errno: EAFNOSUPPORT, and what :func:`ip6_datagram_connect` raises
    """
    if int.from_bytes(addr[:2], "little") != AF_INET6:
        raise Errno("EAFNOSUPPORT")
    ip6_datagram_connect(kernel, sk, addr, lambda: None)
