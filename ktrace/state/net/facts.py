"""What the model of sockets is told about the kernel it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from ktrace.state.net.netlink import NetlinkTable
from ktrace.state.quick import dataclass


@dataclass(frozen=True, slots=True)
class ProtocolSwitch:
    """One ``struct inet_protosw`` of ``inetsw[]``.

    :param protocol: IPPROTO_ number, 0 is the wild card
    :param flags: INET_PROTOSW_REUSE, INET_PROTOSW_PERMANENT, INET_PROTOSW_ICSK
    """

    type: int
    protocol: int
    prot: str
    ops: str
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SocketFacts:
    """What the model of sockets is told about the kernel it stands for, read once at attach.

    :param net_families: symbol of the ``create`` function by address family (``net_families[]``)
    :param inetsw: ``inetsw[]`` list by list, each in lookup order
    :param inetsw6: ``inetsw6[]`` likewise; empty without IPv6
    :param inet_protos: symbol of the ``handler`` by IP protocol; *inet6_protos* likewise
    :param sizes: bytes of ``sk_buff`` and ``skb_shared_info`` (unaligned), ``max_skb_frags``,
        ``smp_cache_bytes``, ``page_size``, ``kmalloc_max_cache``; ``skb_small_head`` where small heads have a cache of
        their own (since 6.3), and ``charged_apart`` where that is not for what is charged to a memory cgroup
    :param sysctl: settings below ``/proc/sys/net`` by path, such as ``core/rmem_default``
    :param congestion: symbol of the ``tcp_congestion_ops`` by name; a new socket has *default_congestion*
    :param netdevices: whether sockets can be bound to a device (CONFIG_NETDEVICES)
    :param compat: whether there are 32-bit system calls (CONFIG_COMPAT)
    :param oob: whether AF_UNIX has out-of-band bytes (CONFIG_AF_UNIX_OOB)
    :param security: whether sockets have security contexts (CONFIG_SECURITY_NETWORK)
    :param netlink: protocols that somebody registered (``nl_table[]``); *netlink_tables*: what they are
    :param ping_port_rover: the last identifier that a ping socket was given
    :param next_cookie: what SO_COOKIE tells next of a socket that has none yet (``sock_cookie``), *net_cookie* what
        SO_NETNS_COOKIE tells; 0 where they were not read
    :param quickack: the routes to this machine's own addresses ask TCP to acknowledge at once (RTAX_QUICKACK)
    """

    net_families: Mapping[int, str]
    inetsw: tuple[ProtocolSwitch, ...]
    inetsw6: tuple[ProtocolSwitch, ...]
    sizes: Mapping[str, int]
    sysctl: Mapping[str, int]
    inet_protos: Mapping[int, str] = field(default_factory=dict)
    inet6_protos: Mapping[int, str] = field(default_factory=dict)
    congestion: Mapping[str, str] = field(default_factory=dict)
    default_congestion: str = ""
    compat: bool = False
    netdevices: bool = False
    oob: bool = True
    netlink: tuple[int, ...] = ()
    security: bool = False
    quickack: bool = False
    ping_port_rover: int = 0
    next_cookie: int = 0
    net_cookie: int = 0
    netlink_tables: Mapping[int, NetlinkTable] = field(default_factory=dict)
