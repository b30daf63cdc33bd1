"""AF_INET6 sockets: ``net/ipv6/af_inet6.c``, ``tcp_ipv6.c``, ``udp.c``, ``datagram.c``, ``ipv6_sockglue.c``."""

from __future__ import annotations

import pytest

from ktrace.state.net.inet import Ipv6Sock
from ktrace.uapi.socket import AF_INET, AF_INET6, SOCK_DGRAM, SOCK_STREAM, SOL_IPV6
from tests.unit.model.bench import Bench, inet, inet6

ADDRFORM, UNICAST_HOPS, V6ONLY, RECVERR, RECVPKTINFO, TCLASS = 1, 16, 26, 25, 49, 67
MAPPED = "::ffff:127.0.0.1"


def make(bench: Bench, family: int, type_: int, port: int | None = None, address: str = "::1") -> int:
    fd = bench.call("A", "socket", family, type_, 0)
    assert isinstance(fd, int)
    if port is not None:
        name = inet6(port, address) if family == AF_INET6 else inet(port, address)
        assert bench.call("A", "bind", fd, name) == 0
    return fd


def ipv6(bench: Bench, fd: int) -> Ipv6Sock:
    value = bench.sock("A", fd).ipv6
    assert value is not None
    return value


def test_addresses_that_cannot_be_bound() -> None:
    """__inet6_bind()."""
    bench = Bench("ABU")
    fd = make(bench, AF_INET6, SOCK_STREAM)
    for address, error in (
        (inet6(80, "ff02::1"), "EINVAL"),
        (inet6(5000, "2001:db8::1"), "EADDRNOTAVAIL"),
        (inet6(5000, "fe80::1"), "EINVAL"),
        (inet6(5000, "::ffff:10.1.2.3"), "EADDRNOTAVAIL"),
        (inet(5000), "EINVAL"),
        ({"sa_family": AF_INET, "sa_data": bytes(30)}, "EAFNOSUPPORT"),
    ):
        assert bench.call("A", "bind", fd, address) == error
    assert bench.call("A", "bind", fd, inet6(5000), addrlen=23) == "EINVAL"
    assert bench.call("A", "bind", fd, inet6(5000), addrlen=24) == 0
    assert bench.call("A", "bind", fd, inet6(5001)) == "EINVAL"
    sock = bench.sock("A", fd)
    assert sock.inet is not None and sock.inet.inet_rcv_saddr == "127.0.0.6"
    assert (ipv6(bench, fd).v6_rcv_saddr, ipv6(bench, fd).ipv6only) == ("::1", True)


@pytest.mark.parametrize("type_", [SOCK_STREAM, SOCK_DGRAM])
def test_who_excludes_whom_from_a_port(type_: int) -> None:
    """inet_rcv_saddr_equal(), inet_bind2_bucket_match_addr_any(): both families share the ports."""
    bench = Bench("ABU")
    make(bench, AF_INET6, type_, 5000, "::")
    four = make(bench, AF_INET, type_)
    assert bench.call("A", "bind", four, inet(5000)) == "EADDRINUSE"
    make(bench, AF_INET6, type_, 5001, "::1")
    assert bench.call("A", "bind", four, inet(5001)) == 0
    make(bench, AF_INET6, type_, 5002, MAPPED)
    other = make(bench, AF_INET, type_)
    assert bench.call("A", "bind", other, inet(5002)) == "EADDRINUSE"
    assert bench.call("A", "bind", other, inet(5002, "0.0.0.0")) == "EADDRINUSE"
    assert bench.call("A", "bind", other, inet(5002, "127.0.0.2")) == 0
    only = make(bench, AF_INET6, type_)
    assert bench.call("A", "setsockopt", only, SOL_IPV6, V6ONLY, 1) == 0
    assert bench.call("A", "bind", only, inet6(5002, "::")) == 0
    assert bench.call("A", "setsockopt", only, SOL_IPV6, V6ONLY, 0) == "EINVAL"


def test_a_wild_card_listener_takes_ipv4() -> None:
    """tcp_v6_syn_recv_sock(), tcp_v6_mapped_child_init(); an AF_INET listener goes before it."""
    bench = Bench("ABU")
    listener = make(bench, AF_INET6, SOCK_STREAM, 5000, "::")
    assert bench.call("A", "listen", listener, 5) == 0
    client = make(bench, AF_INET, SOCK_STREAM)
    assert bench.call("A", "connect", client, inet(5000)) == 0
    child = bench.call("A", "accept", listener)
    assert isinstance(child, int)
    port = bench.sock("A", client).inet.inet_sport  # type: ignore[union-attr]
    assert bench.out("A", "addr") == inet6(port, MAPPED)
    sock = bench.sock("A", child)
    assert sock.tcp is not None and sock.tcp.icsk_af_ops == "ipv6_mapped"
    assert (ipv6(bench, child).saddr, ipv6(bench, child).v6_daddr) == (MAPPED, MAPPED)
    assert (ipv6(bench, child).mcast_oif, ipv6(bench, child).mcast_hops) == (1, 64)
    assert bench.call("A", "getsockopt", child, SOL_IPV6, ADDRFORM) == 0
    assert bench.call("A", "setsockopt", child, SOL_IPV6, ADDRFORM, AF_INET) == 0
    sock = bench.sock("A", child)
    assert (sock.sk_family, sock.sk_prot, sock.ipv6) == ("AF_INET", "tcp_prot", None)


def test_connections_over_either_protocol() -> None:
    """tcp_v6_connect()."""
    bench = Bench("ABU")
    fd = make(bench, AF_INET6, SOCK_STREAM)
    for address, error in (
        (inet6(6000), "ECONNREFUSED"),
        (inet6(6000, MAPPED), "ECONNREFUSED"),
        (inet6(6000, "2001:db8::1"), "ENETUNREACH"),
        (inet6(6000, "ff02::1"), "ENETUNREACH"),
        (inet6(6000, "fe80::1"), "EINVAL"),
        (inet6(6000, "::ffff:10.0.0.1"), "ENETUNREACH"),
        (inet(6000), "EINVAL"),
    ):
        assert bench.call("A", "connect", fd, address) == error, address
    bound = make(bench, AF_INET6, SOCK_STREAM, 0, MAPPED)
    assert bench.call("A", "connect", bound, inet6(6000)) == "EAFNOSUPPORT"
    only = make(bench, AF_INET6, SOCK_STREAM, 0, "::1")
    assert bench.call("A", "connect", only, inet6(6000, MAPPED)) == "ENETUNREACH"
    listener = make(bench, AF_INET6, SOCK_STREAM, 5000, "::1")
    assert bench.call("A", "listen", listener, 5) == 0
    assert bench.call("A", "connect", fd, inet6(5000, "::")) == 0
    assert ipv6(bench, fd).v6_daddr == "::1"
    child = bench.call("A", "accept", listener)
    assert isinstance(child, int)
    assert bench.call("A", "write", fd, b"hello") == 5
    assert bench.call("A", "read", child, 10) == 5


def test_datagrams_of_both_families() -> None:
    """udpv6_sendmsg(), udpv6_recvmsg()."""
    bench = Bench("ABU")
    r = make(bench, AF_INET6, SOCK_DGRAM, 6000, "::")
    s = make(bench, AF_INET6, SOCK_DGRAM)
    assert bench.call("A", "sendto", s, b"x", 0) == "EDESTADDRREQ"
    assert bench.call("A", "sendto", s, b"x", 0, dest_addr=inet6(0)) == "EINVAL"
    assert bench.call("A", "sendto", s, b"x", 0, dest_addr=inet6(6000, "2001:db8::1")) == "ENETUNREACH"
    for address, source in ((inet6(6000), "::1"), (inet6(6000, MAPPED), MAPPED), (inet(6000), MAPPED)):
        assert bench.call("A", "sendto", s, b"hello", 0, dest_addr=address) == 5
        assert bench.call("A", "recvfrom", r, 100, 0) == 5
        assert bench.out("A", "addr")["sin6_addr"] == source
    assert bench.call("A", "connect", s, inet6(6000)) == 0
    assert bench.call("A", "sendto", s, bytes(65528), 0) == "EMSGSIZE"
    # __ip6_append_data(): 40 + 8 + 100 + 24 and the shared info come out of kmalloc-512; an sk_buff is 256
    assert bench.call("A", "sendto", s, bytes(100), 0) == 100
    assert bench.sock("A", r).sk_receive_queue[0].truesize == 512 + 256


def test_disconnecting_keeps_the_peers_address() -> None:
    """__udp_disconnect() leaves sk_v6_daddr, and compute_score() goes on asking for it."""
    bench = Bench("ABU")
    fd = make(bench, AF_INET6, SOCK_DGRAM, 6000, "::1")
    assert bench.call("A", "connect", fd, inet6(7000)) == 0
    assert bench.call("A", "connect", fd, {"sa_family": 0, "sa_data": bytes(14)}) == 0
    assert (bench.sock("A", fd).sk_state, ipv6(bench, fd).v6_daddr) == ("TCP_CLOSE", "::1")


def test_options() -> None:
    """do_ipv6_setsockopt(), do_ipv6_getsockopt()."""
    bench = Bench("ABU")
    fd = make(bench, AF_INET6, SOCK_STREAM)
    assert bench.call("A", "setsockopt", fd, SOL_IPV6, UNICAST_HOPS, 256) == "EINVAL"
    assert bench.call("A", "setsockopt", fd, SOL_IPV6, UNICAST_HOPS, 3) == 0
    assert bench.call("A", "setsockopt", fd, SOL_IPV6, TCLASS, 0x2F) == 0
    assert (ipv6(bench, fd).hop_limit, ipv6(bench, fd).tclass) == (3, 0x2C)
    assert bench.call("A", "setsockopt", fd, SOL_IPV6, ADDRFORM, AF_INET) == "ENOTCONN"
    assert bench.call("A", "setsockopt", fd, SOL_IPV6, 250, 1) == "ENOPROTOOPT"
    assert bench.call("A", "setsockopt", fd, SOL_IPV6, RECVPKTINFO, b"x") == "EINVAL"
    assert bench.call("A", "setsockopt", fd, SOL_IPV6, RECVERR, 1) == 0
    assert "recverr" in ipv6(bench, fd).bits
    assert bench.call("A", "getsockopt", fd, SOL_IPV6, UNICAST_HOPS) == 0
    assert bench.out("A", "optval") == 3


def test_messages_tell_where_a_packet_went() -> None:
    """ip6_datagram_recv_common_ctl(), put_cmsg()."""
    bench = Bench("ABU")
    r = make(bench, AF_INET6, SOCK_DGRAM, 6000, "::")
    s = make(bench, AF_INET, SOCK_DGRAM)
    assert bench.call("A", "setsockopt", r, SOL_IPV6, RECVPKTINFO, 1) == 0
    for room, data in ((64, bytes(10) + b"\xff\xff\x7f\x00\x00\x01\x01\x00\x00\x00"), (20, bytes(4)), (8, None)):
        assert bench.call("A", "sendto", s, b"x", 0, dest_addr=inet(6000)) == 1
        message = {"msg_iov": (10,), "msg_controllen": room}
        assert bench.call("A", "recvmsg", r, message, 0) == 1
        told = bench.out("A", "msg_control")
        assert [item["cmsg_data"] for item in told] == ([] if data is None else [data])
        assert bool(bench.out("A", "msg_flags") & 8) == (room < 36)


def test_a_syn_after_a_mapped_connection_is_lost() -> None:
    """tcp_v6_connect() leaves ``ipv6_mapped`` in icsk_af_ops; found by ktrace fuzz --family inet --seed 13."""
    bench = Bench("ABU")
    fd = make(bench, AF_INET6, SOCK_STREAM)
    assert bench.call("A", "connect", fd, inet6(5002, MAPPED)) == "ECONNREFUSED"
    listener = make(bench, AF_INET6, SOCK_STREAM, 5002, "::1")
    assert bench.call("A", "listen", listener, 1) == 0
    assert bench.call("A", "connect", fd, inet6(5002)) == "blocked"
    assert bench.sock("A", listener).sk_ack_backlog == 0


def test_errors_of_datagrams() -> None:
    """ipv6_icmp_error(), ipv6_local_error(), ipv6_recv_error()."""
    bench = Bench("ABU")
    fd = make(bench, AF_INET6, SOCK_DGRAM, 5000)
    assert bench.call("A", "setsockopt", fd, SOL_IPV6, RECVERR, 1) == 0
    assert bench.call("A", "sendto", fd, b"x" * 3000, 0, inet6(5001)) == 3000
    assert [len(skb.data) for skb in bench.sock("A", fd).sk_error_queue] == [1184]
    assert bench.call("A", "sendto", fd, b"x" * 65528, 0, inet6(5001)) == "EMSGSIZE"
    room = {"msg_iov": [2000], "msg_namelen": 28, "msg_controllen": 200}
    for length, origin in ((1184, 3), (0, 1)):
        assert bench.call("A", "recvmsg", fd, room, 0x2000) == length
        name = bench.out("A", "msg_name")
        assert (name["sin6_addr"], name["sin6_port"]) == ("::1", 5001)
        (error,) = bench.out("A", "msg_control")
        assert (error["cmsg_level"], error["cmsg_type"], len(error["cmsg_data"])) == (SOL_IPV6, RECVERR, 44)
        assert error["cmsg_data"][4] == origin
    assert bench.sock("A", fd).sk_rmem_alloc == 0
