"""Where packets go on a machine that has a loopback and nothing else (``net/ipv4/route.c``, ``net/ipv6/route.c``)."""

from __future__ import annotations

from ktrace.model.net.inet.addr6 import ANY6, LOOPBACK6, is_multicast, mapped_v4
from ktrace.model.net.inet.sock import ANY, Inet
from ktrace.model.net.inet.socket import address_type
from ktrace.model.task import Errno

LOOPBACK_ADDRESS, LIMITED_BROADCAST = "127.0.0.1", "255.255.255.255"
LOOPBACK_MTU = 65536


def route(sk: Inet, daddr: str, saddr: str = ANY) -> str:
    """Return where a packet to *daddr* goes (``ip_route_output_key_hash_rcu()``).

    :param saddr: a source address of its own leads broadcasts and multicasts to its interface
    :raises Errno: ENETUNREACH, EACCES for a broadcast that was not asked for
    """
    check_source(saddr if saddr != ANY else sk.saddr)
    if daddr == ANY:
        return sk.saddr if sk.saddr != ANY else LOOPBACK_ADDRESS
    kind = address_type(daddr)
    if saddr != ANY and kind == "RTN_MULTICAST":
        return daddr
    if kind == "RTN_BROADCAST" and (daddr.startswith("127.") or (saddr != ANY and daddr == LIMITED_BROADCAST)):
        if not sk.flag("SOCK_BROADCAST"):
            raise Errno("EACCES")
        return daddr
    if kind != "RTN_LOCAL":
        raise Errno("ENETUNREACH")
    return daddr


def check_source(saddr: str) -> None:
    """Refuse a source address that no packet may have, to which an AF_INET6 socket may be bound.

    :raises Errno: EINVAL
    """
    if saddr == LIMITED_BROADCAST or address_type(saddr) == "RTN_MULTICAST" or (saddr != ANY and saddr[:2] == "0."):
        raise Errno("EINVAL")


def route6(saddr: str, daddr: str) -> str:
    """Return the source address of a packet to *daddr* (``ip6_dst_lookup_tail()``).

    :param saddr: the one that the sender has, ``::`` for any
    :raises Errno: ENETUNREACH, EAFNOSUPPORT for an IPv4 source
    """
    if is_multicast(daddr):
        raise NotImplementedError("the model does not send IPv6 multicast")
    if daddr != LOOPBACK6:
        raise Errno("ENETUNREACH")
    source = saddr if saddr != ANY6 else LOOPBACK6
    if mapped_v4(source) is not None:
        raise Errno("EAFNOSUPPORT")
    return source
