"""Groups that a socket belongs to (``net/ipv4/igmp.c``), on a machine whose only device is the loopback."""

from __future__ import annotations

import ipaddress
import struct

from ktrace.include.net.ip import LOOPBACK_IFINDEX
from ktrace.model.kernel import Kernel
from ktrace.model.net.inet.addr4 import ANY, LOOPBACK
from ktrace.model.net.inet.sock import Inet
from ktrace.model.task import Errno
from ktrace.uapi.in_ import SIZEOF_IP_MREQ, SIZEOF_IP_MREQN

ALL_HOSTS = "224.0.0.1"
"""``IGMP_ALL_HOSTS``, which every device is in."""

MAX_MEMBERSHIPS = 20
"""``IP_MAX_MEMBERSHIPS``, which ``/proc/sys/net/ipv4/igmp_max_memberships`` is at first."""


def ip_check_mc(kernel: Kernel, daddr: str) -> bool:
    """Tell whether a packet to *daddr* is received: to a group only if this machine is in it.

    ``ip_check_mc_rcu()``; what nobody is to receive goes to ``dst_discard()``.
    """
    if ":" in daddr or daddr == ALL_HOSTS or not ipaddress.IPv4Address(daddr).is_multicast:
        return True
    socks = [socket.sk for socket in kernel.net.sockets.values() if isinstance(socket.sk, Inet)]
    return any(group == daddr for sk in socks for group, _, _ in sk.mc_list)


def ip_mc_sf_allow(sk: Inet, daddr: str) -> bool:
    """Tell whether a sock takes packets to a group: those that it joined, or all (``ip_mc_sf_allow()``)."""
    return "mc_all" in sk.bits or any(group == daddr for group, _, _ in sk.mc_list)


def _request(optval: bytes) -> tuple[str, str, int]:
    """Return group, local address and interface of a ``struct ip_mreqn`` or ``ip_mreq``."""
    data = optval[:SIZEOF_IP_MREQN] if len(optval) >= SIZEOF_IP_MREQN else optval[:SIZEOF_IP_MREQ] + bytes(4)
    group, address, index = struct.unpack("<4s4si", data)
    return str(ipaddress.IPv4Address(group)), str(ipaddress.IPv4Address(address)), index


def _find_dev(address: str, index: int) -> int:
    """Return the interface that is meant, 0 for none (``ip_mc_find_dev()``)."""
    if index:
        return index if index == LOOPBACK_IFINDEX else 0
    # Without an address the route to the group decides, and there is none.
    return LOOPBACK_IFINDEX if address != ANY and ipaddress.IPv4Address(address) in LOOPBACK else 0


def change_membership(sk: Inet, optval: bytes, join: bool) -> None:
    """Join or leave a group (``ip_mc_join_group()``, ``ip_mc_leave_group()``).

    :raises Errno: EINVAL, ENODEV, EADDRINUSE, ENOBUFS, EADDRNOTAVAIL
    """
    group, address, index = _request(optval)
    found = _find_dev(address, index)
    if join:
        if not ipaddress.IPv4Address(group).is_multicast:
            raise Errno("EINVAL")
        if not found:
            raise Errno("ENODEV")
        if any((other, at) == (group, found) for other, _, at in sk.mc_list):
            raise Errno("EADDRINUSE")
        if len(sk.mc_list) >= MAX_MEMBERSHIPS:
            raise Errno("ENOBUFS")
        sk.mc_list.insert(0, (group, address, found))
        return
    if not index and address == ANY and not found:
        raise Errno("ENODEV")
    index = index or found
    for membership in sk.mc_list:
        other, own, at = membership
        if other == group and (at == index if index else address in (ANY, own)):
            sk.mc_list.remove(membership)
            return
    raise Errno("EADDRNOTAVAIL")


def set_multicast_if(sk: Inet, optval: bytes) -> None:
    """Choose the interface of multicast packets (IP_MULTICAST_IF in ``do_ip_setsockopt()``).

    :raises Errno: EADDRNOTAVAIL, EINVAL
    """
    if len(optval) >= SIZEOF_IP_MREQ:
        _, address, index = _request(optval)
    else:
        address, index = str(ipaddress.IPv4Address(optval[:4])), 0
    if not index and address == ANY:
        sk.mc_index, sk.mc_addr = 0, ANY
        return
    found = _find_dev(address, index)
    if not found:
        raise Errno("EADDRNOTAVAIL")
    if sk.bound_dev_if not in (0, found):
        raise Errno("EINVAL")
    sk.mc_index, sk.mc_addr = found, address
