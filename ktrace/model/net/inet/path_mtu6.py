"""How long a packet of IPv6 may be, told to who asked for it with IPV6_RECVPATHMTU (``net/ipv6/datagram.c``)."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

from ktrace.model.elapsed import this_step
from ktrace.model.kernel import Kernel
from ktrace.model.net.core.proto_ops import InMessage
from ktrace.model.net.core.scm import put_cmsg
from ktrace.model.net.core.sock_cmsg import sock_recv_timestamp
from ktrace.model.net.inet.addr6 import is_multicast, sockaddr_in6
from ktrace.model.net.inet.sock import Inet
from ktrace.uapi.in6 import IPV6_PATHMTU
from ktrace.uapi.socket import AF_INET6, SOL_IPV6


@dataclass(frozen=True)
class PathMtu:
    """Mirror a ``struct ip6_mtuinfo``: packets to *daddr* by interface *scope_id* hold *mtu* bytes."""

    daddr: str
    scope_id: int
    mtu: int


def ipv6_local_rxpmtu(sk: Inet, daddr: str, mtu: int) -> None:
    """Keep what a packet that was too long met; the last one counts (``ipv6_local_rxpmtu()``)."""
    np = sk.np
    if "rxpmtu" in np.rxopt:
        oif = sk.bound_dev_if or (np.mcast_oif if is_multicast(daddr) else np.ucast_oif)
        np.rxpmtu = PathMtu(daddr, oif, mtu)


def ipv6_recv_rxpmtu(kernel: Kernel, sk: Inet, msg: InMessage) -> int | None:
    """Tell it, in a message without a byte; ``None`` where there is nothing to be told (``ipv6_recv_rxpmtu()``)."""
    np = sk.np
    if "rxpmtu" not in np.rxopt or np.rxpmtu is None:
        return None
    found, np.rxpmtu = np.rxpmtu, None
    sock_recv_timestamp(kernel, sk, msg, this_step(kernel), None)
    if msg.wants_name:
        msg.name = sockaddr_in6(found.daddr, 0, scope=found.scope_id)
    address = ipaddress.IPv6Address(found.daddr).packed
    told = struct.pack("<HHI16sII", AF_INET6, 0, 0, address, found.scope_id, found.mtu)
    put_cmsg(msg, SOL_IPV6, IPV6_PATHMTU, told)
    return 0
