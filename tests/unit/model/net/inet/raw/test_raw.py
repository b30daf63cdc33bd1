"""Raw and ping sockets: ``net/ipv4/raw.c``, ``ping.c``, ``icmp.c``, ``net/ipv6/raw.c``, ``ping.c``, ``icmp.c``."""

from __future__ import annotations

import struct

import pytest

from ktrace.agent.syscalls import make_call
from ktrace.model.net.inet.ip_packet import as_seen, checksum
from ktrace.model.observed import Evidence, Observed
from ktrace.state.call import Result
from ktrace.uapi.icmp import ICMP_FILTER
from ktrace.uapi.in6 import IPV6_CHECKSUM
from ktrace.uapi.in_ import IP_HDRINCL
from ktrace.uapi.socket import (
    AF_INET,
    AF_INET6,
    SO_REUSEADDR,
    SOCK_DGRAM,
    SOCK_NONBLOCK,
    SOCK_RAW,
    SOCK_STREAM,
    SOL_ICMPV6,
    SOL_IP,
    SOL_IPV6,
    SOL_RAW,
    SOL_SOCKET,
)
from tests.unit.model.bench import Bench, inet, inet6

ICMP, UDP, ICMPV6 = 1, 17, 58
ECHO, ECHO6 = b"\x08\0\0\0", b"\x80\0\0\0"


def make(bench: Bench, family: int, type_: int, protocol: int) -> int:
    fd = bench.call("A", "socket", family, type_ | SOCK_NONBLOCK, protocol)
    assert isinstance(fd, int), fd
    return fd


def received(bench: Bench, fd: int) -> bytes | str:
    """Return what the next packet holds, or how receiving failed."""
    value = bench.call("A", "recvfrom", fd, 70000, 0)
    return bytes(bench.out("A", "buf")) if isinstance(value, int) else value


def with_groups(bench: Bench) -> None:
    bench.kernel.act(None, make_call("sysctl", "net/ipv4/ping_group_range", "0 1000"))


def test_who_may_ping() -> None:
    """ping_init_sock(): the range is empty at first."""
    bench = Bench("ABU")
    assert bench.call("U", "socket", AF_INET, SOCK_DGRAM, ICMP) == "EACCES"
    with_groups(bench)
    assert bench.call("U", "socket", AF_INET, SOCK_DGRAM, ICMP) == 0
    assert bench.call("U", "socket", AF_INET6, SOCK_DGRAM, ICMPV6) == 1
    bench.kernel.act(None, make_call("sysctl", "net/ipv4/ping_group_range", "1 999"))
    assert bench.call("U", "socket", AF_INET, SOCK_DGRAM, ICMP) == "EACCES"


@pytest.mark.parametrize(("family", "protocol", "echo"), [(AF_INET, ICMP, ECHO), (AF_INET6, ICMPV6, ECHO6)])
def test_an_echo_comes_back(family: int, protocol: int, echo: bytes) -> None:
    """ping_v4_sendmsg(), icmp_reply(), ping_rcv()."""
    bench = Bench("ABU")
    with_groups(bench)
    fd = make(bench, family, SOCK_DGRAM, protocol)
    to = inet(0) if family == AF_INET else inet6(0)
    assert bench.call("A", "sendto", fd, echo + b"??\0\7data", 0, dest_addr=to) == 12
    answer = received(bench, fd)
    assert isinstance(answer, bytes)
    assert answer[:2] + answer[4:] == bytes([0 if family == AF_INET else 129, 0]) + b"\0\1\0\7data"
    if family == AF_INET:
        assert checksum(answer) == 0
    assert bench.out("A", "addr") == to
    assert bench.call("A", "sendto", fd, b"\0" * 8, 0, dest_addr=to) == "EINVAL"
    assert bench.call("A", "sendto", fd, echo, 0, dest_addr=to) == "EINVAL"
    assert bench.call("A", "sendto", fd, echo + bytes(65600), 0, dest_addr=to) == "EMSGSIZE"


def test_identifiers() -> None:
    """ping_get_port(): SO_REUSEADDR is on from the start (INET_PROTOSW_REUSE)."""
    bench = Bench("ABU")
    with_groups(bench)
    first, second = make(bench, AF_INET, SOCK_DGRAM, ICMP), make(bench, AF_INET, SOCK_DGRAM, ICMP)
    assert bench.call("A", "bind", first, inet(7)) == 0
    assert bench.call("A", "bind", second, inet(7)) == 0
    assert bench.call("A", "bind", second, inet(8)) == "EINVAL"
    third = make(bench, AF_INET, SOCK_DGRAM, ICMP)
    bench.call("A", "setsockopt", third, SOL_SOCKET, SO_REUSEADDR, 0)
    assert bench.call("A", "bind", third, inet(7)) == "EADDRINUSE"
    assert bench.call("A", "bind", third, inet(7, "127.255.255.255")) == "EADDRNOTAVAIL"
    # the one that was bound last takes the answer
    assert bench.call("A", "sendto", first, ECHO + bytes(4), 0, dest_addr=inet(0)) == 8
    assert received(bench, first) == "EAGAIN"
    assert received(bench, second) == b"\0\0\xff\xf8\0\x07\0\0"


def test_every_raw_socket_that_matches_gets_a_copy() -> None:
    """raw_v4_match()."""
    bench = Bench("ABU")
    anywhere, bound, other = (make(bench, AF_INET, SOCK_RAW, 253) for _ in range(3))
    assert bench.call("A", "bind", bound, inet(0, "127.0.0.2")) == 0
    assert bench.call("A", "connect", other, inet(0, "127.0.0.3")) == 0
    assert bench.call("A", "sendto", anywhere, b"hello", 0, dest_addr=inet(0, "127.0.0.2")) == 5
    for fd in (anywhere, bound):
        packet = received(bench, fd)
        assert isinstance(packet, bytes)
        assert (packet[0], packet[9], packet[20:]) == (0x45, 253, b"hello")
        assert checksum(packet[:20]) == 0
    assert received(bench, other) == "EAGAIN"
    assert bench.sock("A", bound).sk_rmem_alloc == 0


def test_headers_made_by_hand() -> None:
    """raw_send_hdrinc()."""
    bench = Bench("ABU")
    fd = make(bench, AF_INET, SOCK_RAW, 253)
    assert bench.call("A", "setsockopt", fd, SOL_IP, IP_HDRINCL, 1) == 0
    header = b"\x45\0\0\0\x12\x34\0\0\x09\xfd\0\0" + bytes(4) + b"\x7f\0\0\1"
    assert bench.call("A", "sendto", fd, header[:19], 0, dest_addr=inet(0)) == "EINVAL"
    assert bench.call("A", "sendto", fd, b"\x4f" + header[1:], 0, dest_addr=inet(0)) == "EINVAL"
    assert bench.call("A", "sendto", fd, header + b"made", 0, dest_addr=inet(0)) == 24
    packet = received(bench, fd)
    assert isinstance(packet, bytes)
    assert struct.unpack(">HH", packet[2:6]) == (24, 0x1234)
    assert (packet[12:16], packet[20:], checksum(packet[:20])) == (b"\x7f\0\0\1", b"made", 0)


def test_filters_of_icmp() -> None:
    """icmp_filter(), icmpv6_filter(): a bit that is set keeps a type away."""
    bench = Bench("ABU")
    fd = make(bench, AF_INET, SOCK_RAW, ICMP)
    echo = b"\x08\0\xf7\xfd\0\1\0\1"
    assert bench.call("A", "setsockopt", fd, SOL_RAW, ICMP_FILTER, 1 << 8) == 0
    assert bench.call("A", "sendto", fd, echo, 0, dest_addr=inet(0)) == 8
    answer = received(bench, fd)
    assert isinstance(answer, bytes) and answer[20] == 0
    assert received(bench, fd) == "EAGAIN"
    other = make(bench, AF_INET, SOCK_RAW, 253)
    assert bench.call("A", "setsockopt", other, SOL_RAW, ICMP_FILTER, 1) == "EOPNOTSUPP"
    six = make(bench, AF_INET6, SOCK_RAW, ICMPV6)
    assert bench.call("A", "setsockopt", six, SOL_ICMPV6, 1, b"\xff" * 32) == 0
    assert bench.call("A", "sendto", six, b"\x80\0\0\0\0\1\0\1", 0, dest_addr=inet6(0)) == 8
    assert received(bench, six) == "EAGAIN"


def test_a_bad_checksum_gets_no_answer() -> None:
    """icmp_rcv(): skb_checksum_simple_validate()."""
    bench = Bench("ABU")
    fd = make(bench, AF_INET, SOCK_RAW, ICMP)
    assert bench.call("A", "sendto", fd, b"\x08\0\0\1\0\1\0\1", 0, dest_addr=inet(0)) == 8
    assert isinstance(received(bench, fd), bytes)
    assert received(bench, fd) == "EAGAIN"


def test_a_port_that_nobody_has() -> None:
    """icmp_send(): the error quotes the packet; a raw socket of UDP saw that, too, its checksum not computed."""
    bench = Bench("ABU")
    icmp, udp, sender = (
        make(bench, AF_INET, SOCK_RAW, ICMP),
        make(bench, AF_INET, SOCK_RAW, UDP),
        make(bench, AF_INET, SOCK_DGRAM, 0),
    )
    assert bench.call("A", "sendto", sender, b"lost", 0, dest_addr=inet(6000)) == 4
    packet, error = received(bench, udp), received(bench, icmp)
    assert isinstance(packet, bytes) and isinstance(error, bytes)
    assert packet[22:26] == struct.pack(">HH", 6000, 12)
    # 127.0.0.1 twice, protocol 17, length 12
    assert packet[26:28] == struct.pack(">H", 0x7F00 + 1 + 0x7F00 + 1 + 17 + 12)
    assert (error[20:22], error[1], error[28:]) == (b"\x03\x03", 0xC0, packet)


def test_a_protocol_that_nobody_knows() -> None:
    """ip_protocol_deliver_rcu(), raw_err(): told to who is connected there."""
    bench = Bench("ABU")
    fd = make(bench, AF_INET, SOCK_RAW, 254)
    assert bench.call("A", "connect", fd, inet(0, "127.0.0.2")) == 0
    assert bench.call("A", "sendto", fd, b"who? who?", 0) == 9
    assert bench.sock("A", fd).sk_err == 92
    assert received(bench, fd) == "ENOPROTOOPT"


def test_a_checksum_where_one_is_asked_for() -> None:
    """rawv6_push_pending_frames()."""
    bench = Bench("ABU")
    fd = make(bench, AF_INET6, SOCK_RAW, 253)
    for value, answer in ((3, "EINVAL"), (2, 0)):
        assert bench.call("A", "setsockopt", fd, SOL_IPV6, IPV6_CHECKSUM, value) == answer
    assert bench.call("A", "sendto", fd, b"abc", 0, dest_addr=inet6(0)) == "EINVAL"
    assert bench.call("A", "sendto", fd, b"ab\0\0cd", 0, dest_addr=inet6(0)) == 6
    packet = received(bench, fd)
    assert isinstance(packet, bytes)
    pseudo = bytes(15) + b"\1" + bytes(15) + b"\1" + struct.pack(">II", 6, 253)
    assert checksum(pseudo + packet) == 0
    icmp = make(bench, AF_INET6, SOCK_RAW, ICMPV6)
    assert bench.call("A", "setsockopt", icmp, SOL_IPV6, IPV6_CHECKSUM, 4) == "EINVAL"


def test_what_only_the_kernel_knows_is_taken_from_it_if_its_sums_come_out() -> None:
    """ip_select_ident()."""
    bench = Bench("ABU")
    blank = bytes.fromhex("45000019000040004006") + b"\0\0" + b"\x7f\0\0\1\x7f\0\0\1"
    good = blank[:4] + b"\x12\x34" + blank[6:]
    good = good[:10] + struct.pack(">H", checksum(good)) + good[12:]
    places = ((4, 6), (10, 12))
    for seen, taken in ((good, good), (good[:5] + b"\x35" + good[6:], blank), (good[:-1] + b"\2", blank)):
        bench.kernel._observed = Observed(Evidence({"A": Result(20, None, {"buf": seen})}))
        assert as_seen(bench.kernel, blank, places, ((0, 20),)) == taken


def test_tcp_is_not_shown_to_raw_sockets() -> None:
    """The model says that it does not know the segments, instead of leaving them out."""
    bench = Bench("ABU")
    make(bench, AF_INET, SOCK_RAW, 6)
    client = make(bench, AF_INET, SOCK_STREAM, 0)
    with pytest.raises(NotImplementedError, match="raw socket"):
        bench.call("A", "connect", client, inet(5000))


def test_a_sender_has_room_again_when_the_packet_is_on_the_loopback() -> None:
    """loopback_xmit(): skb_orphan(), sock_wfree(); found by ktrace fuzz --family raw --seed 3."""
    bench = Bench("ABU")
    fd = make(bench, AF_INET, SOCK_RAW, 253)
    assert bench.call("A", "bind", fd, inet(0)) == 0
    ep = bench.call("A", "epoll_create1", 0)
    assert bench.call("A", "epoll_ctl", ep, 1, fd, {"events": 1 << 31 | 4, "data": 0}) == 0
    assert bench.call("A", "epoll_wait", ep, 1, 0) == 1
    assert bench.call("A", "epoll_wait", ep, 1, 0) == 0
    assert bench.call("A", "sendto", fd, b"0", 0, dest_addr=inet(0, "127.0.0.2")) == 1
    assert bench.call("A", "epoll_wait", ep, 1, 0) == 1
