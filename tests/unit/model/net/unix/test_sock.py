"""AF_UNIX: ``net/unix/af_unix.c``, ``net/unix/garbage.c``."""

from __future__ import annotations

from typing import Any

import pytest

from ktrace.state.changes import Changes
from ktrace.uapi.socket import (
    AF_UNIX,
    MSG_CTRUNC,
    MSG_DONTWAIT,
    MSG_NOSIGNAL,
    MSG_OOB,
    MSG_PEEK,
    MSG_TRUNC,
    MSG_WAITALL,
    SHUT_RD,
    SHUT_WR,
    SO_PASSCRED,
    SO_PEEK_OFF,
    SO_SNDBUF,
    SOCK_DGRAM,
    SOCK_NONBLOCK,
    SOCK_SEQPACKET,
    SOCK_STREAM,
    SOL_SOCKET,
)
from tests.unit.model.bench import Bench, unix


def listener(bench: Bench, backlog: int = 1, path: bytes = b"\0srv", type_: int = SOCK_STREAM) -> int:
    fd = bench.call("A", "socket", AF_UNIX, type_, 0)
    assert isinstance(fd, int)
    assert bench.call("A", "bind", fd, unix(path)) == 0
    assert bench.call("A", "listen", fd, backlog) == 0
    return fd


def rights(*fds: int) -> dict[str, Any]:
    return {"msg_iov": (b"x",), "msg_control": ({"cmsg_level": 1, "cmsg_type": 1, "cmsg_data": fds},)}


def test_bytes_and_their_charge() -> None:
    """unix_stream_sendmsg(), sock_wfree(): the sender pays until the last byte of a buffer is read."""
    bench = Bench("ABU")
    a, b = bench.pair()
    assert bench.call("A", "write", a, b"hello") == 5
    assert bench.sock("A", a).sk_wmem_alloc == 1 + 768
    assert bench.call("A", "read", b, 3) == 3
    (buffer,) = bench.sock("A", b).sk_receive_queue
    assert buffer.unix is not None
    assert (buffer.data, buffer.unix.consumed) == (b"hello", 3)
    assert bench.call("A", "read", b, 3) == 2
    assert bench.sock("A", a).sk_wmem_alloc == 1


def test_large_writes_are_split() -> None:
    """unix_stream_sendmsg(): half the send buffer less 64 at most, 3776 linear bytes, the rest in pages."""
    bench = Bench("ABU")
    a, b = bench.pair()
    assert bench.call("A", "sendto", a, bytes(50000), flags=MSG_DONTWAIT) == 50000
    sizes = [(item.len, item.data_len, item.truesize) for item in bench.sock("A", b).sk_receive_queue]
    assert sizes == [(36544, 32768, 32768 + 4096 + 256), (13456, 12288, 12288 + 2048 + 256)]


def test_a_full_buffer_blocks_and_a_reader_wakes() -> None:
    """sock_alloc_send_pskb(): EAGAIN without waiting; unix_write_space() wakes below a quarter."""
    bench = Bench("ABU")
    a, b = bench.pair()
    bench.call("A", "setsockopt", a, SOL_SOCKET, SO_SNDBUF, 0)
    bench.call("A", "fork", "C", 0)
    sent = 0
    while bench.call("A", "sendto", a, bytes(100), flags=MSG_DONTWAIT) == 100:
        sent += 1
    # sk_wmem_alloc_get() < sk_sndbuf: 4608 is passed by the seventh
    assert sent == 6
    assert bench.call("A", "write", a, b"more") == "blocked"
    assert "SOCK_NOSPACE" in bench.kernel.tasks["A"].files.get(a).private.flags
    for _ in range(4):
        bench.call("C", "read", b, 100)
        assert "A" not in bench.results
    # (sk_wmem_alloc << 2) <= sk_sndbuf, with 1 for the sock itself and 1 kept by sock_wfree()
    bench.call("C", "read", b, 100)
    assert bench.results["A"].value == 4


def test_the_reader_of_an_empty_stream() -> None:
    """unix_stream_read_generic(): blocks, EAGAIN, end of file after shutdown, ENOTCONN is EINVAL here."""
    bench = Bench("ABU")
    a, b = bench.pair()
    assert bench.call("A", "recvfrom", b, 1, flags=MSG_DONTWAIT) == "EAGAIN"
    bench.call("A", "fork", "C", 0)
    assert bench.call("C", "read", b, 10) == "blocked"
    assert bench.call("A", "shutdown", a, SHUT_WR) == 0
    assert bench.results["C"].value == 0
    assert bench.call("A", "write", a, b"x") == "EPIPE"
    assert [signal for _, signal in bench.signals] == ["SIGPIPE"]
    assert bench.call("A", "sendto", a, b"x", flags=MSG_NOSIGNAL) == "EPIPE"
    assert bench.signals == []
    fd = bench.call("A", "socket", AF_UNIX, SOCK_STREAM, 0)
    assert bench.call("A", "read", fd, 1) == "EINVAL"
    assert bench.call("A", "write", fd, b"x") == "ENOTCONN"


def test_unread_bytes_reset_the_peer() -> None:
    """unix_release_sock(): ECONNRESET once, then end of file."""
    bench = Bench("ABU")
    a, b = bench.pair()
    bench.call("A", "write", a, b"lost")
    assert bench.call("A", "close", b) == 0
    assert bench.sock("A", a).sk_err == 104
    assert bench.call("A", "read", a, 1) == "ECONNRESET"
    assert bench.call("A", "read", a, 1) == 0
    assert bench.call("A", "write", a, b"x") == "EPIPE"


def test_waitall_takes_what_comes_until_it_has_all() -> None:
    """sock_rcvlowat(): MSG_WAITALL raises the target to the whole."""
    bench = Bench("ABU")
    a, b = bench.pair()
    bench.call("A", "fork", "C", 0)
    assert bench.call("C", "recvfrom", b, 6, flags=MSG_WAITALL) == "blocked"
    bench.call("A", "write", a, b"abc")
    assert "C" not in bench.results
    bench.call("A", "write", a, b"defg")
    assert (bench.results["C"].value, bench.out("C", "buf")) == (6, b"abcdef")


def test_peeking_and_its_offset() -> None:
    """unix_stream_read_generic(): MSG_PEEK leaves the bytes, SO_PEEK_OFF moves on and back."""
    bench = Bench("ABU")
    a, b = bench.pair()
    bench.call("A", "write", a, b"abc")
    bench.call("A", "write", a, b"def")
    bench.call("A", "recvfrom", b, 5, flags=MSG_PEEK)
    assert bench.out("A", "buf") == b"abcde"
    bench.call("A", "setsockopt", b, SOL_SOCKET, SO_PEEK_OFF, 2)
    bench.call("A", "recvfrom", b, 2, flags=MSG_PEEK)
    assert bench.out("A", "buf") == b"cd"
    bench.call("A", "read", b, 1)
    assert bench.sock("A", b).sk_peek_off == 3


def test_the_byte_out_of_band() -> None:
    """queue_oob(), manage_oob(), unix_stream_recv_urg()."""
    bench = Bench("ABU")
    a, b = bench.pair()
    bench.call("A", "sendto", a, b"abX", flags=MSG_OOB)
    assert bench.sock("A", b).unix is not None
    assert bench.sock("A", b).unix.oob == 1  # type: ignore[union-attr]
    assert bench.call("A", "read", b, 10) == 2
    assert bench.call("A", "ioctl", b, 0x8905) == 0
    assert bench.out("A", "arg") == 1
    assert bench.call("A", "recvfrom", b, 10, flags=MSG_OOB) == 1
    assert bench.call("A", "recvfrom", b, 10, flags=MSG_OOB) == "EINVAL"
    assert bench.call("A", "recvfrom", b, 10, flags=MSG_DONTWAIT) == "EAGAIN"


def test_names() -> None:
    """unix_bind(): abstract, path, chosen by the kernel; a name is for ever and for one socket."""
    bench = Bench("ABU")
    for _ in range(4):
        bench.call("A", "socket", AF_UNIX, SOCK_STREAM, 0)
    assert bench.call("A", "bind", 0, unix(b"\0name")) == 0
    assert bench.call("A", "bind", 0, unix(b"\0other")) == "EINVAL"
    assert bench.call("A", "bind", 1, unix(b"\0name")) == "EADDRINUSE"
    assert bench.call("A", "bind", 1, unix(b"/tmp/s")) == 0
    assert bench.call("A", "bind", 2, unix(b"/tmp/s")) == "EADDRINUSE"
    assert bench.call("A", "bind", 2, unix(b"/tmp/none/s")) == "ENOENT"
    assert bench.call("A", "bind", 2, unix(b"")) == 0
    name = bench.sock("A", 2).unix
    assert name is not None and name.addr is not None
    assert len(name.addr) == 6 and name.addr[0] == 0
    assert bench.call("A", "bind", 3, {"sa_family": 2, "sa_data": b"1234"}) == "EINVAL"
    bench.call("A", "getsockname", 1)
    assert bench.out("A", "addr") == unix(b"/tmp/s")
    assert bench.out("A", "addrlen") == 2 + 7
    # the inode outlives its socket
    bench.call("A", "close", 1)
    assert bench.call("A", "connect", 3, unix(b"/tmp/s")) == "ECONNREFUSED"
    assert bench.call("A", "unlink", b"/tmp/s") == 0
    assert bench.call("A", "connect", 3, unix(b"/tmp/s")) == "ENOENT"


def test_types_do_not_meet() -> None:
    """unix_find_bsd(): EPROTOTYPE; abstract names of two types are two names."""
    bench = Bench("ABU")
    listener(bench, path=b"/tmp/s")
    dgram = bench.call("A", "socket", AF_UNIX, SOCK_DGRAM, 0)
    assert bench.call("A", "connect", dgram, unix(b"/tmp/s")) == "EPROTOTYPE"
    listener(bench, path=b"\0s")
    assert bench.call("A", "connect", dgram, unix(b"\0s")) == "ECONNREFUSED"


def test_connect_before_accept() -> None:
    """unix_stream_connect(): the embryo is the client's peer at once, with the listener's name."""
    bench = Bench("ABU")
    fd = listener(bench)
    client = bench.call("B", "socket", AF_UNIX, SOCK_STREAM, 0)
    assert isinstance(client, int)
    assert bench.call("B", "connect", client, unix(b"\0srv")) == 0
    assert bench.call("B", "connect", client, unix(b"\0srv")) == "EISCONN"
    (request,) = bench.sock("A", fd).sk_receive_queue
    assert (request.len, request.truesize) == (0, 768)
    assert bench.call("B", "write", client, b"early") == 5
    assert bench.call("A", "accept", fd) == 1
    assert bench.call("A", "read", 1, 10) == 5
    bench.call("A", "getsockname", 1)
    assert bench.out("A", "addr") == unix(b"\0srv")
    assert bench.sock("B", client).sk_peer == bench.sock("A", fd).sk_peer


@pytest.mark.parametrize("kind", [SOCK_STREAM, SOCK_SEQPACKET])
@pytest.mark.parametrize(
    ("changes", "marked"),
    [
        (Changes(), ()),
        (Changes(unix_stream_custom_sockopt=True), (SOCK_STREAM,)),
        (Changes(unix_stream_custom_sockopt=True, unix_custom_sockopt=True), (SOCK_STREAM, SOCK_SEQPACKET)),
    ],
)
def test_both_ends_have_options_of_their_own(kind: int, changes: Changes, marked: tuple[int, ...]) -> None:
    """unix_create(), unix_accept(): streams only at first, of all types since SO_RIGHTS_NOTRUNC."""
    bench = Bench("AB", changes=changes)
    fd = listener(bench, type_=kind)
    client = bench.call("B", "socket", AF_UNIX, kind, 0)
    assert isinstance(client, int)
    assert bench.call("B", "connect", client, unix(b"\0srv")) == 0
    accepted = bench.call("A", "accept", fd)
    assert isinstance(accepted, int)
    wanted = kind in marked
    for actor, number in (("B", client), ("A", accepted)):
        assert ("SOCK_CUSTOM_SOCKOPT" in bench.kernel.tasks[actor].files.get(number).private.flags) == wanted


def test_a_full_backlog_blocks_one_connector_each_accept() -> None:
    """unix_wait_for_peer(): exclusive sleepers, woken one by one; EAGAIN without waiting."""
    bench = Bench("ABU")
    fd = listener(bench, backlog=0)
    for name in ("C", "D"):
        bench.call("B", "fork", name, 0)
    for name in ("B", "C", "D"):
        bench.call(name, "socket", AF_UNIX, SOCK_STREAM, 0)
    assert bench.call("B", "connect", 0, unix(b"\0srv")) == 0
    assert bench.call("C", "connect", 0, unix(b"\0srv")) == "blocked"
    assert bench.call("D", "connect", 0, unix(b"\0srv")) == "blocked"
    bench.call("B", "socket", AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)
    assert bench.call("B", "connect", 1, unix(b"\0srv")) == "EAGAIN"
    bench.call("A", "accept", fd)
    assert set(bench.results) == {"A", "C"}
    # closing the listener refuses who is left and resets who was not accepted
    bench.call("A", "close", fd)
    assert bench.results["D"].errno == "ECONNREFUSED"
    assert bench.sock("C", 0).sk_err == 104


def test_accept_waits_and_shutdown_ends_it() -> None:
    """unix_accept(): EINVAL where the listener is shut down, EAGAIN without waiting."""
    bench = Bench("ABU")
    fd = listener(bench)
    bench.call("A", "fork", "C", 0)
    assert bench.call("C", "accept", fd) == "blocked"
    assert bench.kernel.tasks["C"].files.reserved == {1: False}
    assert bench.call("A", "shutdown", fd, SHUT_RD) == 0
    assert bench.results["C"].errno == "EINVAL"
    assert bench.kernel.tasks["C"].files.reserved == {}
    other = bench.call("A", "socket", AF_UNIX, SOCK_STREAM, 0)
    assert bench.call("A", "accept", other) == "EINVAL"
    assert bench.call("A", "listen", other, 1) == "EINVAL"


def test_packets_keep_their_bounds() -> None:
    """__unix_dgram_recvmsg(): what does not fit is lost, MSG_TRUNC tells the whole length."""
    bench = Bench("ABU")
    a, b = bench.pair(type_=SOCK_DGRAM)
    bench.call("A", "write", a, b"first packet")
    bench.call("A", "write", a, b"")
    assert bench.call("A", "recvfrom", b, 5, flags=MSG_TRUNC) == 12
    assert bench.out("A", "buf") == b"first"
    assert bench.call("A", "recvfrom", b, 5) == 0
    assert bench.call("A", "recvfrom", b, 5, flags=MSG_DONTWAIT) == "EAGAIN"
    assert bench.call("A", "sendto", a, bytes(212992 - 31)) == "EMSGSIZE"


def test_a_full_receiver_blocks_senders_in_turn() -> None:
    """unix_dgram_sendmsg(): max_dgram_qlen, except between two that are connected to each other."""
    bench = Bench("ABU")
    server = bench.call("A", "socket", AF_UNIX, SOCK_DGRAM, 0)
    bench.call("A", "bind", server, unix(b"\0log"))
    bench.call("B", "socket", AF_UNIX, SOCK_DGRAM, 0)
    for _ in range(11):
        assert bench.call("B", "sendto", 0, b"x", flags=MSG_DONTWAIT, dest_addr=unix(b"\0log")) == 1
    assert bench.call("B", "sendto", 0, b"x", flags=MSG_DONTWAIT, dest_addr=unix(b"\0log")) == "EAGAIN"
    assert bench.call("B", "sendto", 0, b"x", dest_addr=unix(b"\0log")) == "blocked"
    bench.call("A", "recvfrom", server, 1)
    assert bench.results["B"].value == 1
    assert bench.call("A", "sendto", server, b"x") == "ENOTCONN"


def test_who_may_send_to_a_connected_receiver() -> None:
    """unix_may_send(): only its peer; a dead peer is ECONNREFUSED once."""
    bench = Bench("ABU")
    a, b = bench.pair(type_=SOCK_DGRAM)
    bench.call("A", "bind", b, unix(b"\0b"))
    other = bench.call("A", "socket", AF_UNIX, SOCK_DGRAM, 0)
    assert bench.call("A", "sendto", other, b"x", dest_addr=unix(b"\0b")) == "EPERM"
    assert bench.call("A", "connect", other, unix(b"\0b")) == "EPERM"
    bench.call("A", "close", b)
    assert bench.call("A", "write", a, b"x") == "ECONNREFUSED"
    assert bench.call("A", "write", a, b"x") == "ENOTCONN"
    assert bench.sock("A", a).sk_state == "TCP_CLOSE"


def test_seqpackets_are_connected_packets() -> None:
    """unix_seqpacket_sendmsg(), unix_seqpacket_recvmsg()."""
    bench = Bench("ABU")
    a, b = bench.pair(type_=SOCK_SEQPACKET)
    bench.call("A", "write", a, b"one")
    bench.call("A", "write", a, b"two")
    assert bench.call("A", "read", b, 2) == 2
    assert bench.call("A", "read", b, 10) == 3
    bench.call("A", "close", a)
    assert bench.call("A", "recvfrom", b, 1, flags=MSG_DONTWAIT) == 0
    fresh = bench.call("A", "socket", AF_UNIX, SOCK_SEQPACKET, 0)
    assert bench.call("A", "read", fresh, 1) == "ENOTCONN"


def test_descriptors_travel() -> None:
    """scm_fp_copy(), scm_detach_fds(): new descriptors, as many as there is room for."""
    bench = Bench("ABU")
    a, b = bench.pair()
    c, d = bench.pair()
    assert bench.call("A", "sendmsg", a, rights(c, d)) == 1
    bench.call("A", "close", d)
    (buffer,) = bench.sock("A", b).sk_receive_queue
    assert buffer.unix is not None and len(buffer.unix.fp) == 2
    assert bench.call("A", "recvmsg", b, {"msg_iov": (4,), "msg_controllen": 20}) == 1
    assert bench.out("A", "msg_control") == ({"cmsg_level": 1, "cmsg_type": 1, "cmsg_data": (d,)},)
    assert bench.out("A", "msg_flags") == MSG_CTRUNC
    assert bench.call("A", "sendmsg", a, rights(99)) == "EBADF"
    # the one that did not fit is closed: its peer sees the end
    assert bench.call("A", "read", c, 1) == 0


def test_credentials() -> None:
    """maybe_add_creds(), scm_check_creds(): only one's own, unless capable."""
    bench = Bench("ABU")
    a, b = bench.pair("U")
    bench.call("U", "setsockopt", b, SOL_SOCKET, SO_PASSCRED, 1)
    bench.call("U", "write", a, b"x")
    bench.call("U", "recvmsg", b, {"msg_iov": (4,), "msg_controllen": 64})
    (message,) = bench.out("U", "msg_control")
    assert message["cmsg_data"] == {"pid": "U", "uid": 1000, "gid": 1000}
    lie = {"cmsg_level": 1, "cmsg_type": 2, "cmsg_data": {"pid": "U", "uid": 0, "gid": 1000}}
    assert bench.call("U", "sendmsg", a, {"msg_iov": (b"x",), "msg_control": (lie,)}) == "EPERM"


def test_a_socket_in_its_own_queue_is_garbage() -> None:
    """unix_scc_dead(): collected when the next AF_UNIX socket is released."""
    bench = Bench("ABU")
    a, b = bench.pair()
    bench.call("A", "sendmsg", a, rights(b))
    bench.call("A", "close", b)
    first = bench.sock("A", a)
    assert first.sk_wmem_alloc == 1 + 768
    bench.pair()
    bench.call("A", "close", b)
    assert bench.sock("A", a).sk_wmem_alloc == 1
    bench.call("A", "getpid")
    assert bench.sock("A", a).sk_shutdown == ("RCV_SHUTDOWN", "SEND_SHUTDOWN")


@pytest.mark.parametrize(("how", "expected"), [(3, "EINVAL"), (-1, "EINVAL"), (0, 0), (1, 0), (2, 0)])
def test_shutdown(how: int, expected: int | str) -> None:
    """unix_shutdown()."""
    bench = Bench("ABU")
    a, _ = bench.pair()
    assert bench.call("A", "shutdown", a, how) == expected
