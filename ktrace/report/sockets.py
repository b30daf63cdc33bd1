"""Sockets as ss(8) lists them, and the tables behind ``socket()`` as crash(8) would: one line an entry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ktrace.report.ipcs import columns_of
from ktrace.state.net.facts import ProtocolSwitch
from ktrace.state.net.sock import FAMILIES, SOCK_TYPES, Sock
from ktrace.state.net.socket import Socket
from ktrace.state.net.socket_tables import SocketTables
from ktrace.state.ref import Ref
from ktrace.state.world import World
from ktrace.uapi import in6, in_
from ktrace.uapi.named import by_number, numbers

STATES = {
    "TCP_ESTABLISHED": "ESTAB", "TCP_SYN_SENT": "SYN-SENT", "TCP_SYN_RECV": "SYN-RECV", "TCP_FIN_WAIT1": "FIN-WAIT-1",
    "TCP_FIN_WAIT2": "FIN-WAIT-2", "TCP_TIME_WAIT": "TIME-WAIT", "TCP_CLOSE": "UNCONN", "TCP_CLOSE_WAIT": "CLOSE-WAIT",
    "TCP_LAST_ACK": "LAST-ACK", "TCP_LISTEN": "LISTEN", "TCP_CLOSING": "CLOSING",
}  # fmt: skip
"""``sctp_sstate_name[]`` of iproute2."""

NETID = {
    ("AF_UNIX", "SOCK_STREAM"): "u_str", ("AF_UNIX", "SOCK_DGRAM"): "u_dgr", ("AF_UNIX", "SOCK_SEQPACKET"): "u_seq",
    ("AF_NETLINK", "SOCK_RAW"): "nl", ("AF_NETLINK", "SOCK_DGRAM"): "nl",
    ("AF_PACKET", "SOCK_RAW"): "p_raw", ("AF_PACKET", "SOCK_DGRAM"): "p_dgr", ("AF_PACKET", "SOCK_PACKET"): "p_raw",
}  # fmt: skip
PROTOCOLS = by_number(
    numbers(in_, "IPPROTO_IP IPPROTO_ICMP IPPROTO_IGMP IPPROTO_TCP IPPROTO_UDP IPPROTO_UDPLITE")
    | numbers(in6, "IPPROTO_ROUTING IPPROTO_FRAGMENT IPPROTO_ICMPV6 IPPROTO_NONE IPPROTO_DSTOPTS")
)
"""Names of those that the table of protocols may hold."""


def table(world: World) -> Iterator[str]:
    """Yield a line a socket in the columns of ``ss -ape``; connections that nobody accepted yet have no user."""
    rows: list[Sequence[object]] = [
        ("Netid", "State", "Recv-Q", "Send-Q", "Local Address:Port", "Peer Address:Port", "Process")
    ]
    for ref, sock in world.of_kind("sock").items():
        assert isinstance(sock, Sock)
        local, peer = _names(world, ref, sock)
        receive, send = _queues(sock)
        rows.append(
            (
                _netid(sock),
                STATES.get(sock.sk_state, sock.sk_state),
                receive,
                send,
                local,
                peer,
                _process(world, ref, sock),
            )
        )
    yield from columns_of(rows)


def _netid(sock: Sock) -> str:
    if sock.tcp is not None:
        return "tcp"
    if sock.udp is not None:
        return "udp"
    if sock.inet is not None:
        return "icmp" if sock.sk_type == "SOCK_DGRAM" and sock.sk_protocol in (1, 58) else "raw"
    return NETID.get((sock.sk_family, sock.sk_type), sock.sk_family)


def _names(world: World, ref: Ref, sock: Sock) -> tuple[str, str]:
    if sock.unix is not None:
        return f"{_path(sock.unix.addr)} {_inode(world, ref)}", _peer(world, sock.unix.peer)
    if sock.netlink is not None:
        return str(sock.netlink.portid), str(sock.netlink.dst_portid) if sock.netlink.dst_portid else "*"
    if sock.packet is not None:
        return f"{sock.packet.num:#x}:{sock.packet.ifindex or '*'}", "*"
    inet = sock.inet
    if inet is None:
        return "*", "*"
    local, peer = inet.inet_rcv_saddr, inet.inet_daddr
    if sock.ipv6 is not None:
        local, peer = f"[{sock.ipv6.v6_rcv_saddr}]", f"[{sock.ipv6.v6_daddr}]"
    port = inet.inet_sport or "*"
    return f"{local}:{port}", f"{peer}:{inet.inet_dport or '*'}"


def _path(addr: bytes | None) -> str:
    """Write a name as ss does: abstract ones with @ for every NUL, ``*`` for none."""
    if addr is None:
        return "*"
    if addr[:1] != b"\0":
        addr = addr.rstrip(b"\0")
    return addr.replace(b"\0", b"@").decode("ascii", "backslashreplace")


def _peer(world: World, peer: Ref | None) -> str:
    other = world.objects.get(peer) if peer is not None else None
    if peer is None or not isinstance(other, Sock) or other.unix is None:
        return "* 0"
    return f"{_path(other.unix.addr)} {_inode(world, peer)}"


def _inode(world: World, ref: Ref) -> int:
    sock = world.objects[ref]
    front = world.objects.get(sock.sk_socket) if isinstance(sock, Sock) and sock.sk_socket is not None else None
    return front.i_ino if isinstance(front, Socket) else 0


def _queues(sock: Sock) -> tuple[int, int]:
    """Return what ss calls Recv-Q and Send-Q: of a listener, who waits and how many may."""
    if sock.sk_state == "TCP_LISTEN":
        waiting = sock.sk_ack_backlog if sock.unix is None else len(sock.sk_receive_queue)
        return waiting, sock.sk_max_ack_backlog
    if sock.tcp is not None:
        return sock.tcp.unread, (sock.tcp.unacked or 0) + (sock.tcp.unsent or 0)
    if sock.unix is not None and sock.sk_type != "SOCK_DGRAM":
        return sum(skb.len - (skb.unix.consumed if skb.unix else 0) for skb in sock.sk_receive_queue), 0
    sent = (sock.sk_wmem_alloc or 1) - 1
    if sock.unix is not None:
        return len(sock.sk_receive_queue[0].data) if sock.sk_receive_queue else 0, sent
    return sock.sk_rmem_alloc or 0, sent


def _process(world: World, ref: Ref, sock: Sock) -> str:
    parts = [str(ref.key)]
    if sock.sk_socket is not None:
        parts.append(f"ino:{_inode(world, ref)}")
        users = [f'("{name}",fd={fd})' for name, fd in _users(world, sock.sk_socket)]
        if users:
            parts.insert(0, f"users:({','.join(users)})")
    return " ".join(parts)


def _users(world: World, socket: Ref) -> Iterator[tuple[str, int]]:
    """Yield who has *socket* open, and as which descriptor."""
    for process in world.of_kind("process").values():
        fds = world.objects.get(process.files) if process.files is not None else None
        for fd, slot in fds.fds.items() if fds is not None else ():
            file = world.objects.get(slot.file) if slot.file is not None else None
            if file is not None and file.target == socket:
                yield process.name, fd


def registered(found: SocketTables, what: str) -> Iterator[str]:
    """Yield the lines of ``inetsw`` (and ``inetsw6``), ``net_families`` or ``protocols``."""
    if what == "net_families":
        rows: list[Sequence[object]] = [("net_families[]", "family", "create")]
        rows += [
            (f"[{number}]", FAMILIES.get(family.family, family.family), family.create)
            for number, family in found.net_families.items()
        ]
        yield from columns_of(rows)
    elif what == "inetsw":
        yield from _switch("inetsw", found.inetsw)
        yield ""
        yield from _switch("inetsw6", found.inetsw6)
    else:
        yield from columns_of([("inet_protos[]", "", "handler"), *_handlers(found.inet_protos)])
        yield ""
        yield from columns_of([("inet6_protos[]", "", "handler"), *_handlers(found.inet6_protos)])
        yield ""
        yield f"sock_mnt  {found.sock_mnt}"


def _switch(name: str, lists: Mapping[int, Sequence[ProtocolSwitch]]) -> Iterator[str]:
    """Show every list in lookup order: the first entry is what IPPROTO_IP asks for, 0 takes any protocol."""
    rows: list[Sequence[object]] = [(f"{name}[]", "protocol", "prot", "ops", "flags")]
    for type_, entries in lists.items():
        for number, entry in enumerate(entries):
            protocol = f"{entry.protocol} {PROTOCOLS.get(entry.protocol, '')}".rstrip()
            flags = "|".join(flag.removeprefix("INET_PROTOSW_") for flag in entry.flags)
            place = f"[{SOCK_TYPES.get(type_, type_)}]" if number == 0 else ""
            rows.append((place, protocol if entry.protocol else "0 any", entry.prot, entry.ops, flags or "-"))
    yield from columns_of(rows)


def _handlers(protocols: Mapping[int, str]) -> list[Sequence[object]]:
    return [(f"[{number}]", PROTOCOLS.get(number, ""), handler) for number, handler in protocols.items()]
