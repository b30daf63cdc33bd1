"""Where packets go on a machine that has a loopback and nothing else (``net/ipv4/route.c``, ``net/ipv6/route.c``)."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from ktrace.include.net.ip import IP_MAX_MTU, LOOPBACK_IFINDEX
from ktrace.model.net.inet.addr4 import ANY, LIMITED_BROADCAST, LOOPBACK, LOOPBACK_ADDRESS
from ktrace.model.net.inet.addr6 import ANY6, LOOPBACK6, is_ipv6, mapped_v4
from ktrace.model.net.inet.sock import Inet
from ktrace.model.net.inet.socket import address_type
from ktrace.model.task import Errno

LOOPBACK_MTU = 65536
LOCAL_GROUPS = ipaddress.IPv4Network("224.0.0.0/24")
"""``ipv4_is_local_multicast()``."""


@dataclass(frozen=True)
class Flow:
    """Say how a packet goes out (``struct flowi4``, once it is routed).

    :param saddr: its source, ``0.0.0.0`` where the device has no address that may leave this machine
    :param kind: RTN_LOCAL, RTN_UNICAST, RTN_MULTICAST or RTN_BROADCAST
    """

    saddr: str
    daddr: str
    kind: str


def dst_mtu(sk: Inet) -> int:
    """Return how long packets may be on a sock's way (``ip6_mtu()``, ``ipv4_mtu()``)."""
    return LOOPBACK_MTU if is_ipv6(sk.endpoints()[1]) else IP_MAX_MTU


def ip_route_output_flow(sk: Inet, daddr: str, addr: str | None = None, oif: int = 0) -> Flow:
    """Route a packet of UDP, ping or a raw socket (``udp_sendmsg()``, ``raw_sendmsg()``, ``ping_v4_sendmsg()``).

    IP_MULTICAST_IF chooses device and source of packets to groups, IP_UNICAST_IF the device of others, unless
    IP_PKTINFO or the device that the sock is bound to did.

    :param addr: source that IP_PKTINFO asked for, ``0.0.0.0`` for any, ``None`` for the sock's own; *oif* its device
    :raises Errno: EINVAL, ENODEV, ENETUNREACH, EACCES for a broadcast that was not asked for
    """
    saddr = sk.saddr if addr is None else addr
    oif = oif or sk.bound_dev_if
    if address_type(daddr) == "RTN_MULTICAST":
        oif = oif or sk.mc_index
        saddr = saddr if saddr != ANY else sk.mc_addr
    else:
        oif = oif or sk.uc_index
    flow = ip_route_output_key(sk, daddr, saddr, oif)
    if flow.kind == "RTN_BROADCAST" and not sk.flag("SOCK_BROADCAST"):
        raise Errno("EACCES")
    return flow


def ip_route_output_key(sk: Inet, daddr: str, saddr: str, oif: int) -> Flow:
    """Find the way of a packet (``ip_route_output_key_hash_rcu()``, ``__mkroute_output()``).

    The loopback's address stays on this machine (RT_SCOPE_HOST): it is no source for what goes elsewhere.

    :param oif: device that the packet is to leave through, 0 for any
    :raises Errno: EINVAL for a source or destination that no packet may have, ENODEV, ENETUNREACH
    """
    value = ipaddress.IPv4Address(daddr)
    local_group = value in LOCAL_GROUPS
    away = value.is_multicast or daddr == LIMITED_BROADCAST
    if saddr != ANY:
        check_source(saddr)
        here = address_type(saddr) == "RTN_LOCAL"
        if not here and ((not oif and away) or not sk.bits & {"transparent", "hdrincl"}):
            raise Errno("ENETUNREACH")
        if not oif and away:
            return Flow(saddr, daddr, "RTN_BROADCAST" if daddr == LIMITED_BROADCAST else "RTN_MULTICAST")
    if oif not in (0, LOOPBACK_IFINDEX):
        raise Errno("ENODEV")
    if daddr == ANY:
        saddr = saddr if saddr != ANY else LOOPBACK_ADDRESS
        return Flow(saddr, saddr, "RTN_LOCAL")
    kind = address_type(daddr)
    if local_group or daddr == LIMITED_BROADCAST:
        if not oif:
            raise Errno("ENETUNREACH")
        return Flow(saddr, daddr, kind)
    if value in LOOPBACK:  # fib_lookup(): the only routes there are
        return Flow(saddr if saddr != ANY else LOOPBACK_ADDRESS, daddr, kind)
    if not oif:
        raise Errno("ENETUNREACH")
    return Flow(saddr, daddr, kind)  # "Assume, that the destination is on link."


def check_source(saddr: str) -> None:
    """Refuse a source address that no packet may have, to which an AF_INET6 socket may be bound.

    :raises Errno: EINVAL
    """
    if saddr == LIMITED_BROADCAST or address_type(saddr) == "RTN_MULTICAST":
        raise Errno("EINVAL")


def route6(saddr: str, daddr: str) -> str:
    """Return the source address of a packet to *daddr* (``ip6_dst_lookup_tail()``).

    The loopback has no route but that to ``::1`` (``addrconf_init_loopback()``), neither to groups nor to links: naming
    it as the device does not make one.

    :param saddr: the one that the sender has, ``::`` for any
    :raises Errno: ENETUNREACH, EAFNOSUPPORT for an IPv4 source
    """
    if daddr != LOOPBACK6:
        raise Errno("ENETUNREACH")
    source = saddr if saddr != ANY6 else LOOPBACK6
    if mapped_v4(source) is not None:
        raise Errno("EAFNOSUPPORT")
    return source
