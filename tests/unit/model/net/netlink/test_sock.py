"""AF_NETLINK and AF_PACKET sockets: ``net/netlink/af_netlink.c``, ``net/packet/af_packet.c``."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from ktrace.state.net.netlink import NetlinkSock
from ktrace.uapi.netlink import NETLINK_ADD_MEMBERSHIP, NETLINK_DROP_MEMBERSHIP, NETLINK_ROUTE, NETLINK_USERSOCK
from ktrace.uapi.socket import (
    AF_INET,
    AF_NETLINK,
    AF_PACKET,
    SOCK_DGRAM,
    SOCK_NONBLOCK,
    SOCK_RAW,
    SOCK_STREAM,
    SOL_NETLINK,
)
from tests.unit.model.bench import Bench, inet


def netlink(portid: int, groups: int = 0) -> dict[str, Any]:
    return {"sa_family": AF_NETLINK, "nl_pid": portid, "nl_groups": groups}


def packet(protocol: int, ifindex: int) -> dict[str, Any]:
    return {
        "sa_family": AF_PACKET, "sll_protocol": protocol, "sll_ifindex": ifindex, "sll_hatype": 0, "sll_pkttype": 0,
        "sll_addr": b"",
    }  # fmt: skip


def make(bench: Bench, actor: str = "A", protocol: int = NETLINK_USERSOCK) -> int:
    fd = bench.call(actor, "socket", AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, protocol)
    assert isinstance(fd, int)
    return fd


def part(bench: Bench, fd: int) -> NetlinkSock:
    found = bench.sock("A", fd).netlink
    assert found is not None
    return found


def test_names() -> None:
    """netlink_bind(): one number, as many groups as one likes."""
    bench = Bench("ABU")
    fd, other = make(bench), make(bench)
    assert bench.call("A", "bind", fd, netlink(500), addrlen=11) == "EINVAL"
    assert bench.call("A", "bind", fd, inet(5)) == "EINVAL"
    assert bench.call("A", "bind", fd, netlink(500, 5)) == 0
    assert (part(bench, fd).groups, part(bench, fd).subscriptions, part(bench, fd).ngroups) == ((1, 3), 2, 32)
    assert bench.call("A", "bind", fd, netlink(501)) == "EINVAL"
    assert bench.call("A", "bind", other, netlink(500)) == "EADDRINUSE"
    # netlink_insert() leaves the number that it could not take
    assert (part(bench, other).portid, part(bench, other).bound) == (500, False)
    assert bench.call("A", "close", fd) == 0
    assert bench.call("A", "bind", other, netlink(500)) == 0


def test_autobind_takes_the_process_then_anything_negative() -> None:
    """netlink_autobind()."""
    bench = Bench("ABU")
    bench.kernel.tasks["A"].pid = 28
    first, second = make(bench), make(bench)
    for fd in (first, second):
        assert bench.call("A", "bind", fd, netlink(0)) == 0
    assert part(bench, first).portid == 28
    assert 1 << 31 <= part(bench, second).portid <= (1 << 32) - 4097


def test_who_may_do_what() -> None:
    """netlink_allowed(): NL_CFG_F_NONROOT_SEND on NETLINK_USERSOCK, NL_CFG_F_NONROOT_RECV on NETLINK_ROUTE."""
    bench = Bench("ABU")
    user, route = make(bench, "U"), make(bench, "U", NETLINK_ROUTE)
    bench.kernel.tasks["U"].pid = 29
    assert bench.call("U", "bind", user, netlink(0, 1)) == "EPERM"
    assert bench.call("U", "bind", route, netlink(0, 1)) == 0
    assert bench.call("U", "setsockopt", route, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 30) == "EPERM"
    assert bench.call("U", "setsockopt", route, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 99) == "EINVAL"
    assert bench.call("U", "setsockopt", route, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, 1) == 0
    assert bench.call("U", "sendto", route, b"x", 0, dest_addr=netlink(7)) == "EPERM"
    assert bench.call("U", "sendto", user, b"x", 0, dest_addr=netlink(7)) == "ECONNREFUSED"


def test_messages_between_processes() -> None:
    """netlink_unicast(), netlink_getsockbyportid()."""
    bench = Bench("ABU")
    receiver, sender = make(bench), make(bench)
    assert bench.call("A", "bind", receiver, netlink(500)) == 0
    assert bench.call("A", "bind", sender, netlink(600)) == 0
    assert bench.call("A", "sendto", sender, b"", 0, dest_addr=netlink(500)) == "ENODATA"
    assert bench.call("A", "sendto", sender, b"hello", 0, dest_addr=netlink(500)) == 5
    assert bench.call("A", "recvfrom", receiver, 3, 0x20) == 5
    assert bench.out("A", "addr") == netlink(600)
    assert bench.call("A", "connect", receiver, netlink(7)) == 0
    assert bench.call("A", "sendto", sender, b"hello", 0, dest_addr=netlink(500)) == "ECONNREFUSED"


def test_the_kernel_acknowledges_what_asks_for_nothing() -> None:
    """netlink_rcv_skb(), netlink_ack()."""
    bench = Bench("ABU")
    fd = make(bench, protocol=NETLINK_ROUTE)
    bench.call("A", "bind", fd, netlink(9))
    message = struct.pack("<IHHII", 16, 1, 5, 7, 0)
    assert bench.call("A", "sendto", fd, message, 0, dest_addr=netlink(0)) == 16
    assert bench.call("A", "recvfrom", fd, 100, 0) == 36
    assert bench.out("A", "buf") == struct.pack("<IHHIIi", 36, 2, 0x100, 7, 9, 0) + message
    with pytest.raises(NotImplementedError, match="type 18"):
        bench.call("A", "sendto", fd, struct.pack("<IHHII", 16, 18, 0x301, 7, 0), 0, dest_addr=netlink(0))


def test_packet_sockets_bind_to_what_there_is() -> None:
    """packet_do_bind()."""
    bench = Bench("ABU")
    fd = bench.call("A", "socket", AF_PACKET, SOCK_RAW, 0)
    assert isinstance(fd, int)
    assert bench.call("A", "bind", fd, packet(3, 77), addrlen=20) == "ENODEV"
    assert bench.call("A", "bind", fd, packet(3, 1)) == 0
    found = bench.sock("A", fd).packet
    assert found is not None
    assert (found.num, found.ifindex, found.flags) == (3, 1, ("PACKET_SOCK_RUNNING",))
    assert bench.call("A", "getsockname", fd) == 0
    assert (bench.out("A", "addrlen"), bench.out("A", "addr")["sll_hatype"]) == (18, 772)


@pytest.mark.parametrize(("type_", "protocol"), [(SOCK_STREAM, 0), (SOCK_DGRAM, 0), (SOCK_RAW, 253)])
def test_no_frame_passes_a_packet_socket_unnoticed(type_: int, protocol: int) -> None:
    """The model says that it does not know what it sees, instead of leaving it out; until it is closed."""
    bench = Bench("ABU")
    tap = bench.call("A", "socket", AF_PACKET, SOCK_RAW, 0x300)
    fd = bench.call("A", "socket", AF_INET, type_ | SOCK_NONBLOCK, protocol)
    assert isinstance(tap, int) and isinstance(fd, int)
    call = ("connect", fd, inet(5000)) if type_ == SOCK_STREAM else ("sendto", fd, b"x", 0, inet(5000))
    with pytest.raises(NotImplementedError, match="packet socket"):
        bench.call("A", *call)
    bench = Bench("ABU")
    tap = bench.call("A", "socket", AF_PACKET, SOCK_RAW, 0x300)
    fd = bench.call("A", "socket", AF_INET, type_ | SOCK_NONBLOCK, protocol)
    assert bench.call("A", "close", tap) == 0
    assert bench.call("A", *call) in ("EINPROGRESS", 1)
