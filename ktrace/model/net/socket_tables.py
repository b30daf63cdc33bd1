"""What the boot of a kernel registers: families, ``inetsw[]``, protocols (``net/ipv4/af_inet.c: inet_init()``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ktrace.state.net.facts import ProtocolSwitch, SocketFacts
from ktrace.state.net.socket_tables import Family, SocketTables
from ktrace.uapi.socket import SOCK_DGRAM, SOCK_RAW, SOCK_STREAM

REUSE, PERMANENT, ICSK = "INET_PROTOSW_REUSE", "INET_PROTOSW_PERMANENT", "INET_PROTOSW_ICSK"

CREATE = {1: "unix_create", 2: "inet_create", 10: "inet6_create", 16: "netlink_create", 17: "packet_create"}
"""``struct net_proto_family`` of those that a lab may have."""

INETSW = (
    ProtocolSwitch(SOCK_STREAM, 6, "tcp_prot", "inet_stream_ops", (PERMANENT, ICSK)),
    ProtocolSwitch(SOCK_DGRAM, 17, "udp_prot", "inet_dgram_ops", (PERMANENT,)),
    ProtocolSwitch(SOCK_DGRAM, 1, "ping_prot", "inet_sockraw_ops", (REUSE,)),
    ProtocolSwitch(SOCK_RAW, 0, "raw_prot", "inet_sockraw_ops", (REUSE,)),
    ProtocolSwitch(SOCK_DGRAM, 136, "udplite_prot", "inet_dgram_ops", (PERMANENT,)),
)
"""``inetsw_array[]``, then ``udplite4_register()``."""

INETSW6 = (
    ProtocolSwitch(SOCK_RAW, 0, "rawv6_prot", "inet6_sockraw_ops", (REUSE,)),
    ProtocolSwitch(SOCK_DGRAM, 17, "udpv6_prot", "inet6_dgram_ops", (PERMANENT,)),
    ProtocolSwitch(SOCK_DGRAM, 136, "udplitev6_prot", "inet6_dgram_ops", (PERMANENT,)),
    ProtocolSwitch(SOCK_STREAM, 6, "tcpv6_prot", "inet6_stream_ops", (PERMANENT, ICSK)),
    ProtocolSwitch(SOCK_DGRAM, 58, "pingv6_prot", "inet6_sockraw_ops", (REUSE,)),
)
"""In the order of ``inet6_init()``."""

HANDLERS = {1: "icmp_rcv", 2: "igmp_rcv", 6: "tcp_v4_rcv", 17: "udp_rcv", 136: "udplite_rcv"}
HANDLERS6 = {
    6: "tcp_v6_rcv", 17: "udpv6_rcv", 43: "ipv6_rthdr_rcv", 44: "ipv6_frag_rcv", 58: "icmpv6_rcv", 59: "dst_discard",
    60: "ipv6_destopt_rcv", 136: "udplitev6_rcv",
}  # fmt: skip


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
