"""Creation of sockets and their generic options: ``net/socket.c``, ``net/core/sock.c``, ``inet_create()``."""

from __future__ import annotations

import pytest

from ktrace.state.call import BAD
from ktrace.uapi.socket import (
    AF_INET,
    AF_UNIX,
    SO_LINGER,
    SO_RCVBUF,
    SO_RCVLOWAT,
    SO_REUSEPORT,
    SO_SNDBUF,
    SO_SNDBUFFORCE,
    SO_TYPE,
    SOCK_CLOEXEC,
    SOCK_DGRAM,
    SOCK_NONBLOCK,
    SOCK_RAW,
    SOCK_SEQPACKET,
    SOCK_STREAM,
    SOL_SOCKET,
    SOL_TCP,
)
from ktrace.uapi.tcp import TCP_NODELAY
from tests.unit.model.bench import Bench


@pytest.mark.parametrize(
    ("actor", "family", "type_", "protocol", "expected"),
    [
        ("A", AF_UNIX, SOCK_STREAM | 0o100000, 0, "EINVAL"),
        ("A", -1, SOCK_STREAM, 0, "EAFNOSUPPORT"),
        ("A", 46, SOCK_STREAM, 0, "EAFNOSUPPORT"),
        ("A", 9, SOCK_STREAM, 0, "EAFNOSUPPORT"),
        ("A", AF_INET, 11, 0, "EINVAL"),
        ("A", AF_INET, SOCK_SEQPACKET, 0, "ESOCKTNOSUPPORT"),
        ("A", AF_INET, SOCK_STREAM, 17, "EPROTONOSUPPORT"),
        ("A", AF_INET, SOCK_DGRAM, 6, "EPROTONOSUPPORT"),
        ("A", AF_INET, SOCK_RAW, 0, "EPROTONOSUPPORT"),
        ("A", AF_INET, SOCK_STREAM, 263, "EINVAL"),
        ("A", AF_INET, SOCK_STREAM, -1, "EINVAL"),
        ("A", AF_INET, SOCK_DGRAM, 1, "EACCES"),
        ("A", AF_INET, SOCK_RAW, 1, 0),
        ("U", AF_INET, SOCK_RAW, 1, "EPERM"),
        ("U", AF_INET, 10, 0, "EPERM"),
        ("U", 17, SOCK_STREAM, 0, "EPERM"),
        ("A", 17, SOCK_STREAM, 0, "ESOCKTNOSUPPORT"),
        ("A", AF_UNIX, SOCK_STREAM, 2, "EPROTONOSUPPORT"),
        ("A", AF_UNIX, SOCK_STREAM, AF_UNIX, 0),
        ("A", AF_UNIX, 4, 0, "ESOCKTNOSUPPORT"),
        ("A", 16, SOCK_STREAM, 0, "ESOCKTNOSUPPORT"),
        ("A", 16, SOCK_RAW, 3, "EPROTONOSUPPORT"),
    ],
)
def test_every_way_to_fail(actor: str, family: int, type_: int, protocol: int, expected: int | str) -> None:
    """__sys_socket_create(), __sock_create(), inet_create(), unix_create(), packet_create(), netlink_create()."""
    assert Bench("ABU").call(actor, "socket", family, type_, protocol) == expected


def test_wild_cards_choose_the_protocol() -> None:
    """inet_create(): protocol 0 takes the list's first entry, a wild entry takes any protocol."""
    bench = Bench("ABU")
    for type_, protocol, prot, got in (
        (SOCK_STREAM, 0, "tcp_prot", 6),
        (SOCK_DGRAM, 0, "udp_prot", 17),
        (SOCK_RAW, 89, "raw_prot", 89),
    ):
        fd = bench.call("A", "socket", AF_INET, type_, protocol)
        assert isinstance(fd, int)
        sock = bench.sock("A", fd)
        assert (sock.sk_prot, sock.sk_protocol) == (prot, got)


def test_raw_shares_its_number() -> None:
    """inet_create(): a raw socket's protocol is its port, INET_PROTOSW_REUSE sets sk_reuse."""
    bench = Bench("ABU")
    fd = bench.call("A", "socket", AF_INET, SOCK_RAW, 255)
    assert isinstance(fd, int)
    sock = bench.sock("A", fd)
    assert sock.inet is not None
    assert (sock.sk_reuse, sock.inet.inet_num, "hdrincl" in sock.inet.bits) == (1, 255, True)


def test_emfile_after_everything_else() -> None:
    """sock_map_fd(): the socket is made, then released; socketpair() takes its descriptors first."""
    bench = Bench("ABU")
    bench.kernel.tasks["A"].rlimit_nofile = 1
    assert bench.call("A", "socket", AF_UNIX, 99, 0) == "EINVAL"
    assert bench.call("A", "socketpair", AF_UNIX, 99, 0) == "EINVAL"
    assert bench.call("A", "socketpair", AF_UNIX, SOCK_STREAM, 7) == "EMFILE"
    assert bench.call("A", "socket", AF_UNIX, SOCK_STREAM, 0) == 0
    assert bench.call("A", "socket", AF_UNIX, SOCK_STREAM, 0) == "EMFILE"
    assert bench.call("A", "socket", AF_UNIX, SOCK_STREAM, 7) == "EPROTONOSUPPORT"
    assert len(bench.kernel.net.sockets) == 1


def test_socketpair_needs_a_family_that_has_it() -> None:
    """__sys_socketpair(): sock_no_socketpair() for AF_INET; the array is written before anything is made."""
    bench = Bench("ABU")
    assert bench.call("A", "socketpair", AF_INET, SOCK_STREAM, 0) == "EOPNOTSUPP"
    assert bench.call("A", "socketpair", AF_UNIX, SOCK_STREAM, 0, sv=BAD) == "EFAULT"
    assert bench.kernel.net.sockets == {}


def test_flags_of_the_descriptor_and_the_file() -> None:
    """sock_map_fd(): SOCK_CLOEXEC is the descriptor's, SOCK_NONBLOCK the file's."""
    bench = Bench("ABU")
    bench.call("A", "socket", AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
    slot = bench.kernel.tasks["A"].files.slots[0]
    assert slot.cloexec
    assert slot.file.f_flags == 0o2 | SOCK_NONBLOCK


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        (SO_SNDBUF, 0, 4608),
        (SO_SNDBUF, 5000, 10000),
        (SO_SNDBUF, 1 << 30, 425984),
        (SO_SNDBUF, -1, 425984),
        (SO_RCVBUF, 0, 2304),
        (SO_RCVBUF, 3000, 6000),
        (SO_SNDBUFFORCE, 1 << 30, (1 << 31) - 2),
        (SO_SNDBUFFORCE, -5, 4608),
        (SO_RCVLOWAT, 0, 1),
        (SO_RCVLOWAT, -1, (1 << 31) - 1),
    ],
)
def test_sizes_are_doubled_limited_and_floored(option: int, value: int, expected: int) -> None:
    """sk_setsockopt(): SO_SNDBUF and SO_RCVBUF double, within wmem_max and down to SOCK_MIN_SNDBUF."""
    bench = Bench("ABU")
    fd, _ = bench.pair()
    assert bench.call("A", "setsockopt", fd, SOL_SOCKET, option, value) == 0
    sock = bench.sock("A", fd)
    field = {SO_SNDBUF: "sk_sndbuf", SO_SNDBUFFORCE: "sk_sndbuf", SO_RCVBUF: "sk_rcvbuf", SO_RCVLOWAT: "sk_rcvlowat"}
    assert getattr(sock, field[option]) == expected


def test_options_that_are_refused() -> None:
    """sk_setsockopt(): by kind, by capability, by length."""
    bench = Bench("ABU")
    bench.pair("U")
    assert bench.call("U", "setsockopt", 0, SOL_SOCKET, SO_TYPE, 1) == "ENOPROTOOPT"
    assert bench.call("U", "setsockopt", 0, SOL_SOCKET, 999, 1) == "ENOPROTOOPT"
    assert bench.call("U", "setsockopt", 0, SOL_SOCKET, SO_REUSEPORT, 1) == "EOPNOTSUPP"
    assert bench.call("U", "setsockopt", 0, SOL_SOCKET, SO_SNDBUFFORCE, 1) == "EPERM"
    assert bench.call("U", "setsockopt", 0, SOL_SOCKET, SO_SNDBUF, 1, optlen=3) == "EINVAL"
    assert bench.call("U", "setsockopt", 0, SOL_SOCKET, SO_LINGER, 1) == "EINVAL"
    assert bench.call("U", "setsockopt", 0, SOL_SOCKET, SO_SNDBUF, 1, optlen=-1) == "EINVAL"
    assert bench.call("U", "setsockopt", 0, SOL_SOCKET, SO_SNDBUF, BAD, optlen=4) == "EFAULT"
    assert bench.call("U", "setsockopt", 9, SOL_SOCKET, SO_SNDBUF, 1) == "EBADF"
    assert bench.call("U", "setsockopt", 0, SOL_TCP, TCP_NODELAY, 1) == "EOPNOTSUPP"


def test_what_is_no_socket() -> None:
    """sockfd_lookup_light(): EBADF before ENOTSOCK; accept4() looks at its flags first."""
    bench = Bench("ABU")
    assert bench.call("A", "listen", 0, 1) == "EBADF"
    assert bench.call("A", "mkdir", b"/tmp/d", 0o700) == 0
    assert bench.call("A", "open", b"/tmp/d", 0o200000) == 0
    assert bench.call("A", "listen", 0, 1) == "ENOTSOCK"
    assert bench.call("A", "accept4", 0, 1) == "EINVAL"
    assert bench.call("A", "accept4", 0, 0) == "ENOTSOCK"
