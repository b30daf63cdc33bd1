"""What the boot of a kernel registers: families, ``inetsw[]``, protocols (``net/ipv4/af_inet.c: inet_init()``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ktrace.state.net.facts import ProtocolSwitch, SocketFacts
from ktrace.state.net.socket_tables import Family, SocketTables
from ktrace.uapi.in6 import IPPROTO_DSTOPTS, IPPROTO_FRAGMENT, IPPROTO_ICMPV6, IPPROTO_NONE, IPPROTO_ROUTING
from ktrace.uapi.in_ import IPPROTO_ICMP, IPPROTO_IGMP, IPPROTO_IP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE
from ktrace.uapi.socket import PF_INET, PF_INET6, PF_NETLINK, PF_PACKET, PF_UNIX, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM

REUSE, PERMANENT, ICSK = "INET_PROTOSW_REUSE", "INET_PROTOSW_PERMANENT", "INET_PROTOSW_ICSK"

CREATE = {
    PF_UNIX: "unix_create",
    PF_INET: "inet_create",
    PF_INET6: "inet6_create",
    PF_NETLINK: "netlink_create",
    PF_PACKET: "packet_create",
}
"""``struct net_proto_family`` of those that a lab may have."""

INETSW = (
    ProtocolSwitch(SOCK_STREAM, IPPROTO_TCP, "tcp_prot", "inet_stream_ops", (PERMANENT, ICSK)),
    ProtocolSwitch(SOCK_DGRAM, IPPROTO_UDP, "udp_prot", "inet_dgram_ops", (PERMANENT,)),
    ProtocolSwitch(SOCK_DGRAM, IPPROTO_ICMP, "ping_prot", "inet_sockraw_ops", (REUSE,)),
    ProtocolSwitch(SOCK_RAW, IPPROTO_IP, "raw_prot", "inet_sockraw_ops", (REUSE,)),
    ProtocolSwitch(SOCK_DGRAM, IPPROTO_UDPLITE, "udplite_prot", "inet_dgram_ops", (PERMANENT,)),
)
"""``inetsw_array[]``, then ``udplite4_register()``."""

INETSW6 = (
    ProtocolSwitch(SOCK_RAW, IPPROTO_IP, "rawv6_prot", "inet6_sockraw_ops", (REUSE,)),
    ProtocolSwitch(SOCK_DGRAM, IPPROTO_UDP, "udpv6_prot", "inet6_dgram_ops", (PERMANENT,)),
    ProtocolSwitch(SOCK_DGRAM, IPPROTO_UDPLITE, "udplitev6_prot", "inet6_dgram_ops", (PERMANENT,)),
    ProtocolSwitch(SOCK_STREAM, IPPROTO_TCP, "tcpv6_prot", "inet6_stream_ops", (PERMANENT, ICSK)),
    ProtocolSwitch(SOCK_DGRAM, IPPROTO_ICMPV6, "pingv6_prot", "inet6_sockraw_ops", (REUSE,)),
)
"""In the order of ``inet6_init()``."""

HANDLERS = {
    IPPROTO_ICMP: "icmp_rcv",
    IPPROTO_IGMP: "igmp_rcv",
    IPPROTO_TCP: "tcp_v4_rcv",
    IPPROTO_UDP: "udp_rcv",
    IPPROTO_UDPLITE: "udplite_rcv",
}
HANDLERS6 = {
    IPPROTO_TCP: "tcp_v6_rcv",
    IPPROTO_UDP: "udpv6_rcv",
    IPPROTO_ROUTING: "ipv6_rthdr_rcv",
    IPPROTO_FRAGMENT: "ipv6_frag_rcv",
    IPPROTO_ICMPV6: "icmpv6_rcv",
    IPPROTO_NONE: "dst_discard",
    IPPROTO_DSTOPTS: "ipv6_destopt_rcv",
    IPPROTO_UDPLITE: "udplitev6_rcv",
}


def tables(facts: SocketFacts) -> SocketTables:
    """Return what must be registered in a kernel that has these families and protocols, in this order.

    Which are configured is a fact; what they are and where in their list they stand, is not.
    """
    families = {
        number: Family(number, CREATE.get(number, create)) for number, create in sorted(facts.net_families.items())
    }
    return SocketTables(
        net_families=families,
        inetsw=_registered(INETSW, facts.inetsw),
        inetsw6=_registered(INETSW6, facts.inetsw6),
        inet_protos={number: HANDLERS.get(number, symbol) for number, symbol in facts.inet_protos.items()},
        inet6_protos={number: HANDLERS6.get(number, symbol) for number, symbol in facts.inet6_protos.items()},
        sock_mnt="sockfs, sockfs_ops",
    )


def _registered(
    known: Iterable[ProtocolSwitch], found: Iterable[ProtocolSwitch]
) -> Mapping[int, tuple[ProtocolSwitch, ...]]:
    """Return the entries of *there* as registered: *known* ones in the order of the boot, then the rest."""
    present = [(entry.type, entry.protocol) for entry in found]
    ours = [entry for entry in known if (entry.type, entry.protocol) in present]
    named = {(entry.type, entry.protocol) for entry in ours}
    others = [entry for entry in found if (entry.type, entry.protocol) not in named]
    lists: dict[int, list[ProtocolSwitch]] = {}
    for entry in (*ours, *others):
        register_protosw(lists.setdefault(entry.type, []), entry)
    return {type_: tuple(entries) for type_, entries in sorted(lists.items())}


def register_protosw(entries: list[ProtocolSwitch], new: ProtocolSwitch) -> None:
    """Add an entry behind the last permanent one, which it cannot override (``inet_register_protosw()``)."""
    last = 0
    for index, answer in enumerate(entries):
        if PERMANENT not in answer.flags:
            break
        if new.protocol == answer.protocol:
            return
        last = index + 1
    entries.insert(last, new)
