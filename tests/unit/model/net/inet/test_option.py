"""Options and messages of IPv4 sockets: ``net/ipv4/ip_sockglue.c``, ``net/core/sock.c``, ``net/socket.c``."""

from __future__ import annotations

import pytest

from ktrace.state.call import BAD, NULL, Pointer
from ktrace.uapi.in_ import IP_ADD_MEMBERSHIP, IP_MTU, IP_PKTINFO, IP_RECVERR, IP_RECVTTL, IP_TTL
from ktrace.uapi.socket import (
    AF_INET,
    MSG_CTRUNC,
    MSG_DONTWAIT,
    MSG_ERRQUEUE,
    SCM_RIGHTS,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_IP,
    SOL_SOCKET,
)
from ktrace.uapi.sockios import SIOCGIFBR, SIOCGIFCONF
from tests.unit.model.bench import Bench, inet, unix
from tests.unit.model.net.inet.tcp.test_tcp import connected


def udp(bench: Bench, actor: str = "A", port: int = 0) -> int:
    fd = bench.call(actor, "socket", AF_INET, SOCK_DGRAM, 0)
    assert isinstance(fd, int)
    if port:
        assert bench.call(actor, "bind", fd, inet(port)) == 0
    return fd


def received(bench: Bench, fd: int, room: int = 128) -> list[tuple[int, int]]:
    """Receive a message; return level and type of its control messages."""
    bench.call("A", "recvmsg", fd, {"msg_iov": (64,), "msg_controllen": room}, MSG_DONTWAIT)
    return [(entry["cmsg_level"], entry["cmsg_type"]) for entry in bench.out("A", "msg_control")]


def test_a_datagram_tells_what_was_asked_for() -> None:
    """ip_cmsg_recv_offset(): in the order of the flags; what has no room is cut off."""
    bench = Bench("ABU")
    fd = udp(bench, port=5000)
    bench.call("A", "setsockopt", fd, SOL_IP, IP_RECVTTL, 1)
    bench.call("A", "setsockopt", fd, SOL_IP, IP_PKTINFO, 1)
    for _ in range(3):
        assert bench.call("A", "sendto", fd, b"x", 0, inet(5000)) == 1
    assert received(bench, fd) == [(SOL_IP, IP_PKTINFO), (SOL_IP, IP_TTL)]
    assert received(bench, fd, 32) == [(SOL_IP, IP_PKTINFO)]
    assert bench.out("A", "msg_flags") & MSG_CTRUNC
    assert received(bench, fd, 0) == []


@pytest.mark.parametrize(
    ("level", "kind", "data", "expected"),
    [
        (SOL_IP, IP_TTL, (9,), 1),
        (SOL_IP, IP_TTL, (0,), "EINVAL"),
        (SOL_IP, IP_TTL, (256,), "EINVAL"),
        (SOL_IP, 99, (1,), "EINVAL"),
        (SOL_IP, IP_PKTINFO, (1,), "EINVAL"),
        (SOL_SOCKET, 99, (1,), "EINVAL"),
        (99, 1, (1,), 1),
    ],
)
def test_what_a_sender_may_say_of_a_datagram(level: int, kind: int, data: tuple[int, ...], expected: int | str) -> None:
    """ip_cmsg_send(): other levels are ignored."""
    bench = Bench("ABU")
    fd = udp(bench)
    message = {
        "msg_name": inet(5000),
        "msg_iov": (b"x",),
        "msg_control": ({"cmsg_level": level, "cmsg_type": kind, "cmsg_data": data},),
    }
    assert bench.call("A", "sendmsg", fd, message, 0) == expected


def test_an_error_waits_in_the_error_queue() -> None:
    """ip_icmp_error(), ip_recv_error(): nobody listens; the error is read once, SO_ERROR goes with it."""
    bench = Bench("ABU")
    fd = udp(bench)
    assert bench.call("A", "recv", fd, 64, MSG_ERRQUEUE) == "EAGAIN"
    bench.call("A", "setsockopt", fd, SOL_IP, IP_RECVERR, 1)
    assert bench.call("A", "sendto", fd, b"lost", 0, inet(5000)) == 4
    read = {"msg_iov": (64,), "msg_controllen": 128}
    assert bench.call("A", "recvmsg", fd, read, MSG_ERRQUEUE) == 4
    assert [entry["cmsg_type"] for entry in bench.out("A", "msg_control")] == [IP_RECVERR]
    assert bench.out("A", "msg_flags") & MSG_ERRQUEUE
    assert bench.call("A", "recvmsg", fd, read, MSG_ERRQUEUE) == "EAGAIN"
    assert bench.call("A", "recv", fd, 64, MSG_DONTWAIT) == "EAGAIN"


def test_groups_are_joined_once() -> None:
    """ip_mc_join_group(): EADDRINUSE for the second time, EINVAL for what is no group."""
    bench = Bench("ABU")
    fd = udp(bench)
    group, host = bytes((224, 0, 0, 100, 127, 0, 0, 1)), bytes((10, 0, 0, 1, 127, 0, 0, 1))
    assert bench.call("A", "setsockopt", fd, SOL_IP, IP_ADD_MEMBERSHIP, host) == "EINVAL"
    assert bench.call("A", "setsockopt", fd, SOL_IP, IP_ADD_MEMBERSHIP, group) == 0
    assert bench.call("A", "setsockopt", fd, SOL_IP, IP_ADD_MEMBERSHIP, group) == "EADDRINUSE"


def test_a_connection_keeps_a_route() -> None:
    """do_ip_getsockopt(): IP_MTU asks the cached route; a listener has none."""
    bench = Bench("ABU")
    server, _ = connected(bench)
    assert bench.call("A", "getsockopt", server, SOL_IP, IP_MTU) == 0
    fd = bench.call("A", "socket", AF_INET, SOCK_STREAM, 0)
    assert bench.call("A", "getsockopt", fd, SOL_IP, IP_MTU) == "ENOTCONN"


def test_ioctls_that_a_socket_does_not_know() -> None:
    """sock_do_ioctl(): those of devices read a struct ifreq first."""
    bench = Bench("ABU")
    fd = udp(bench)
    assert bench.call("A", "ioctl", fd, SIOCGIFCONF, 0) == "EFAULT"
    assert bench.call("A", "ioctl", fd, 0x1234, 0) == "ENOTTY"
    for nowhere in (NULL, BAD):
        assert bench.call("A", "ioctl", fd, SIOCGIFCONF, nowhere) == "EFAULT"
        assert bench.call("A", "ioctl", fd, 0x1234, nowhere) == "ENOTTY"
    for argument in (NULL, Pointer(0x7000)):
        with pytest.raises(NotImplementedError, match="does not know the ioctl 0x8940"):
            bench.call("A", "ioctl", fd, SIOCGIFBR, argument)


def test_rights_that_cannot_be_sent() -> None:
    """scm_fp_copy(): EBADF for a descriptor that is not open; UDP ignores rights."""
    bench = Bench("ABU")
    first, _ = bench.pair()
    rights = ({"cmsg_level": SOL_SOCKET, "cmsg_type": SCM_RIGHTS, "cmsg_data": (99,)},)
    assert bench.call("A", "sendmsg", first, {"msg_iov": (b"x",), "msg_control": rights}, 0) == "EBADF"
    fd = udp(bench)
    message = {"msg_name": inet(5000), "msg_iov": (b"x",), "msg_control": rights}
    assert bench.call("A", "sendmsg", fd, message, 0) == 1
    assert bench.call("A", "sendto", first, b"x", 0, unix(b"/none")) == "EISCONN"
