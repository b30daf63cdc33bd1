"""AF_INET6, raw, ping, netlink and packet sockets in a live guest: /proc/net as a second reader, poked bytes."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Callable
from typing import Any

import drgn
import pytest

from ktrace.inspect.invariants.net.socket import validate_socket
from ktrace.state.compare import compare
from ktrace.state.net.sock import TCP_STATES, Sock
from ktrace.uapi.socket import (
    AF_INET,
    AF_INET6,
    AF_NETLINK,
    AF_PACKET,
    SOCK_DGRAM,
    SOCK_NONBLOCK,
    SOCK_RAW,
    SOCK_STREAM,
)
from ktrace.verify.lab import Lab
from tests.guest.inspect.net.test_socket import address_of, do, socks
from tests.guest.poke import poke


def inet6(port: int, address: str = "::1") -> dict[str, Any]:
    return {"sa_family": AF_INET6, "sin6_port": port, "sin6_flowinfo": 0, "sin6_addr": address, "sin6_scope_id": 0}


@pytest.fixture
def busy(lab: Lab) -> Lab:
    """0 listens on ::1, 1 is connected to it; 2 UDP with a datagram; 3 and 4 raw with packets, 5 and 6 ping; 7, 8."""
    do(lab, None, "sysctl", "net/ipv4/ping_group_range", "0 10")
    do(lab, None, "spawn", "A", {})
    do(lab, "A", "socket", AF_INET6, SOCK_STREAM, 0)
    do(lab, "A", "bind", 0, inet6(5000))
    do(lab, "A", "listen", 0, 5)
    do(lab, "A", "socket", AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0)
    do(lab, "A", "connect", 1, inet6(5000))
    do(lab, "A", "sendto", 1, b"x" * 100, 0)
    do(lab, "A", "socket", AF_INET6, SOCK_DGRAM, 0)
    do(lab, "A", "bind", 2, inet6(6000))
    do(lab, "A", "sendto", 2, b"datagram", 0, dest_addr=inet6(6000))
    do(lab, "A", "socket", AF_INET6, SOCK_RAW, 253)
    do(lab, "A", "sendto", 3, b"raw", 0, dest_addr=inet6(0))
    do(lab, "A", "socket", AF_INET, SOCK_RAW, 1)
    for family, protocol, echo in ((AF_INET, 1, b"\x08"), (AF_INET6, 58, b"\x80")):
        do(lab, "A", "socket", family, SOCK_DGRAM, protocol)
        to = inet6(0) if family == AF_INET6 else {"sa_family": AF_INET, "sin_port": 0, "sin_addr": "127.0.0.1"}
        do(lab, "A", "sendto", 5 if family == AF_INET else 6, echo + bytes(11), 0, dest_addr=to)
    do(lab, "A", "socket", AF_NETLINK, SOCK_RAW, 2)
    do(lab, "A", "bind", 7, {"sa_family": AF_NETLINK, "nl_pid": 500, "nl_groups": 5})
    do(lab, "A", "socket", AF_PACKET, SOCK_RAW, 0)
    return lab


def told(lab: Lab, name: str) -> set[tuple[str, int, str, int, int, int]]:
    """Return local and remote end, state and receive queue of every line of /proc/net/*name*."""
    found = set()
    for line in lab.guest.agent.read_file(f"/proc/net/{name}").decode().splitlines()[1:]:
        fields = line.split()
        ends: list[Any] = []
        for field in fields[1:3]:
            host, _, port = field.partition(":")
            words = b"".join(struct.pack("<I", int(host[at : at + 8], 16)) for at in range(0, len(host), 8))
            ends += [str(ipaddress.ip_address(words)), int(port, 16)]
        found.add((*ends, int(fields[3], 16), int(fields[4].partition(":")[2], 16)))
    return found


def seen(lab: Lab, prot: str) -> set[tuple[str, int, str, int, int, int]]:
    """Return the same of the World."""
    found = set()
    for sock in socks(lab.look()):
        if sock.sk_prot == prot and sock.inet is not None:
            local, remote = sock.inet.inet_rcv_saddr, sock.inet.inet_daddr
            if sock.ipv6 is not None:
                local, remote = sock.ipv6.v6_rcv_saddr, sock.ipv6.v6_daddr
            ports = sock.inet.inet_sport, sock.inet.inet_dport
            found.add((local, ports[0], remote, ports[1], TCP_STATES.index(sock.sk_state), queued(sock)))
    return found


def queued(sock: Sock) -> int:
    """Return what /proc/net calls ``rx_queue``."""
    if sock.tcp is not None:
        return len(sock.tcp.accept_queue) if sock.sk_state == "TCP_LISTEN" else int(sock.tcp.unread)
    return sock.sk_rmem_alloc or 0


TABLES = {
    "tcp6": ("tcpv6_prot", 3), "udp6": ("udpv6_prot", 1), "raw6": ("rawv6_prot", 1), "raw": ("raw_prot", 1),
    "icmp": ("ping_prot", 1), "icmp6": ("pingv6_prot", 1),
}  # fmt: skip


def test_proc_net_agrees(busy: Lab) -> None:
    """get_tcp6_sock(), ip6_dgram_sock_seq_show(), raw_sock_seq_show(), ping_v4_format_sock()."""
    for name, (prot, count) in TABLES.items():
        lines = told(busy, name)
        assert len(lines) == count
        assert lines == seen(busy, prot)


def test_proc_net_netlink_and_packet_agree(busy: Lab) -> None:
    """netlink_native_seq_show(), packet_seq_show()."""
    world = busy.look()
    (netlink,) = (sock.netlink for sock in socks(world) if sock.netlink is not None)
    lines = [line.split() for line in busy.guest.agent.read_file("/proc/net/netlink").decode().splitlines()[1:]]
    (line,) = (line for line in lines if line[1] == "2" and line[2] != "0")
    assert (int(line[2]), int(line[3], 16)) == (netlink.portid, sum(1 << group - 1 for group in netlink.groups))
    (packet,) = (sock for sock in socks(world) if sock.packet is not None)
    (line,) = (line.split() for line in busy.guest.agent.read_file("/proc/net/packet").decode().splitlines()[1:])
    # sk, reference count, type, protocol, interface, running
    assert (line[2], line[3], line[4], line[5]) == ("3", "0000", "0", "0")
    assert packet.packet is not None and (packet.packet.num, packet.packet.flags) == (0, ())


def pinfo(sk: drgn.Object) -> drgn.Object:
    return drgn.cast("struct inet_sock *", sk).pinet6


FIELDS: dict[str, tuple[int, Callable[[drgn.Object], Any]]] = {
    "ipv6.saddr": (0, lambda sk: pinfo(sk).saddr.in6_u.u6_addr8[0]),
    "ipv6.v6_rcv_saddr": (2, lambda sk: sk.__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr8[3]),
    "ipv6.v6_daddr": (1, lambda sk: sk.__sk_common.skc_v6_daddr.in6_u.u6_addr8[15]),
    "ipv6.frag_size": (2, lambda sk: pinfo(sk).frag_size),
    "ipv6.tclass": (1, lambda sk: pinfo(sk).tclass),
    "ipv6.mcast_oif": (3, lambda sk: pinfo(sk).mcast_oif),
    "tcp.urg_data": (1, lambda sk: drgn.cast("struct tcp_sock *", sk).urg_data),
    "raw.offset": (3, lambda sk: drgn.cast("struct raw6_sock *", sk).offset),
    "raw.filter": (4, lambda sk: drgn.cast("struct raw_sock *", sk).filter.data),
    "netlink.dst_portid": (7, lambda sk: drgn.cast("struct netlink_sock *", sk).dst_portid),
    "packet.ifindex": (8, lambda sk: drgn.cast("struct packet_sock *", sk).ifindex),
}


def test_a_poked_byte_is_exactly_that_field(busy: Lab) -> None:
    """Also in ``ipv6_pinfo``, which lies behind the protocol's own part."""
    before = busy.look()
    for field, (fd, member) in FIELDS.items():
        place = member(address_of(busy, fd))
        poke(busy, place, lambda byte: byte ^ 2)
        (difference,) = compare(busy.look(), before)
        assert difference.path.partition(".")[2] == field
        poke(busy, place, lambda byte: byte ^ 2)
    assert compare(busy.look(), before) == []


def test_contradictions_are_told(busy: Lab) -> None:
    """Inet6Checks, the charge of a netlink socket."""
    assert list(validate_socket(busy.kernel)) == []
    place = drgn.cast("struct inet_sock *", address_of(busy, 1)).pinet6
    poke(busy, int(place.address_of_().value_()) + 1, lambda byte: byte ^ 1)
    assert any("pinet6" in violation.where for violation in validate_socket(busy.kernel))
    poke(busy, int(place.address_of_().value_()) + 1, lambda byte: byte ^ 1)
    poke(busy, address_of(busy, 7).sk_backlog.rmem_alloc.counter, lambda byte: byte ^ 1)
    assert any("sk_rmem_alloc" in violation.where for violation in validate_socket(busy.kernel))
