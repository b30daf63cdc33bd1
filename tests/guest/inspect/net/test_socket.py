"""Sockets in a live guest: second readers, one poked byte after the other, and invariants that trust nothing."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import drgn
import pytest

from ktrace.agent.syscalls import CONSTANTS as C
from ktrace.agent.syscalls import make_call
from ktrace.inspect.invariants.net.socket import validate_socket
from ktrace.state.call import Completed, Result
from ktrace.state.compare import compare
from ktrace.state.net.sock import TCP_STATES, Sock
from ktrace.state.net.socket import SOCKET_STATES, Socket
from ktrace.state.net.socket_tables import TABLES
from ktrace.state.ref import Ref
from ktrace.state.world import World
from ktrace.uapi.socket import SO_MEMINFO, SOCK_DGRAM, SOCK_NONBLOCK, SOCK_SEQPACKET, SOCK_STREAM, SOL_SOCKET, SOL_TCP
from ktrace.verify.lab import Lab
from tests.guest.poke import poke


def inet(port: int) -> dict[str, Any]:
    """Return an address of the loopback."""
    return {"sa_family": 2, "sin_port": port, "sin_addr": "127.0.0.1"}


def inet6(port: int) -> dict[str, Any]:
    """Return an IPv6 address of the loopback."""
    return {"sa_family": 10, "sin6_port": port, "sin6_flowinfo": 0, "sin6_addr": "::1", "sin6_scope_id": 0}


def unix(path: bytes) -> dict[str, Any]:
    """Return a path or an abstract name."""
    return {"sa_family": 1, "sun_path": path}


def do(lab: Lab, actor: str | None, name: str, *args: Any, **named: Any) -> Result:
    """Have *actor* make a call and return its result."""
    performed = lab.perform(actor, make_call(name, *args, **named))
    for event in performed.outcome.events:
        if isinstance(event, Completed) and event.actor == actor:
            return event.result
    return Result(0)


def address_of(lab: Lab, fd: int, type_name: str = "struct sock") -> drgn.Object:
    """Return what is behind A's descriptor, by drgn alone."""
    prog = lab.kernel.prog
    task = drgn.Object(prog, "struct task_struct *", value=lab.inspector.tasks["A"])
    file = task.files.fdt.fd[fd]
    sk = drgn.cast("struct socket *", file.private_data).sk
    return drgn.Object(prog, f"{type_name} *", value=int(sk.value_()))


def socks(world: World) -> list[Sock]:
    """Return every sock of a World."""
    return [value for value in world.of_kind("sock").values() if isinstance(value, Sock)]


@pytest.fixture
def busy(lab: Lab) -> Lab:
    """A stream pair with data (0, 1), a listener with two connections to accept (2), UDP with a datagram (5)."""
    do(lab, None, "spawn", "A", {})
    do(lab, "A", "socketpair", 1, SOCK_STREAM, 0)
    do(lab, "A", "sendto", 0, b"hello" * 20, 0)
    do(lab, "A", "sendto", 0, b"world", 0)
    do(lab, "A", "recvfrom", 1, 7, 0)
    do(lab, "A", "socket", 2, SOCK_STREAM, 0)
    do(lab, "A", "bind", 2, inet(5000))
    do(lab, "A", "listen", 2, 5)
    for fd in (3, 4):
        do(lab, "A", "socket", 2, SOCK_STREAM | SOCK_NONBLOCK, 0)
        do(lab, "A", "connect", fd, inet(5000))
        do(lab, "A", "sendto", fd, b"x" * 100 * fd, 0)
    do(lab, "A", "socket", 2, SOCK_DGRAM, 0)
    do(lab, "A", "bind", 5, inet(6000))
    do(lab, "A", "socket", 2, SOCK_DGRAM, 0)
    do(lab, "A", "sendto", 6, b"datagram", 0, dest_addr=inet(6000))
    do(lab, "A", "socket", 1, SOCK_STREAM, 0)
    do(lab, "A", "bind", 7, unix(b"/tmp/server"))
    do(lab, "A", "listen", 7, 3)
    do(lab, "A", "socket", 1, SOCK_STREAM, 0)
    do(lab, "A", "connect", 8, unix(b"/tmp/server"))
    control = [{"cmsg_level": 1, "cmsg_type": 1, "cmsg_data": (0, 5)}]
    do(lab, "A", "sendmsg", 8, {"msg_iov": [b"rights"], "msg_control": control}, 0)
    return lab


# -- second readers ------------------------------------------------------------------------------


def test_getsockopt_agrees(busy: Lab) -> None:
    """getsockopt() and ioctl() read the same structures by other ways (``sk_getsockopt()``)."""
    world = busy.look()
    pair = next(sock for sock in socks(world) if sock.sk_family == "AF_UNIX" and len(sock.sk_receive_queue) == 2)
    unread = sum(skb.len - (skb.unix.consumed if skb.unix else 0) for skb in pair.sk_receive_queue)
    assert do(busy, "A", "ioctl", 1, C["FIONREAD"]).out["arg"] == unread == 98
    assert do(busy, "A", "getsockopt", 1, SOL_SOCKET, C["SO_RCVBUF"]).out["optval"] == pair.sk_rcvbuf
    listener = next(sock for sock in socks(world) if sock.sk_state == "TCP_LISTEN" and sock.sk_family == "AF_INET")
    assert do(busy, "A", "getsockopt", 2, SOL_SOCKET, C["SO_ACCEPTCONN"]).out["optval"] == 1
    assert (listener.sk_ack_backlog, listener.sk_max_ack_backlog) == (2, 5)
    udp = next(sock for sock in socks(world) if sock.udp is not None and sock.sk_receive_queue)
    assert do(busy, "A", "ioctl", 5, C["FIONREAD"]).out["arg"] == udp.sk_receive_queue[0].len == 8
    # SK_MEMINFO_RMEM_ALLOC, SK_MEMINFO_RCVBUF, ... (sk_get_meminfo())
    meminfo = struct.unpack("<9I", do(busy, "A", "getsockopt", 5, SOL_SOCKET, SO_MEMINFO, 36).out["optval"])
    assert meminfo[:4] == (udp.sk_rmem_alloc, udp.sk_rcvbuf, (udp.sk_wmem_alloc or 0) - 1, udp.sk_sndbuf)


def test_proc_net_agrees(busy: Lab) -> None:
    """/proc/net/tcp tells states, ports and queues (``get_tcp4_sock()``)."""
    world = busy.look()
    do(busy, "A", "open", b"/proc/net/tcp", 0, 0)
    text = do(busy, "A", "read", 9, 20000).out["buf"].decode()
    told = set()
    for line in text.splitlines()[1:]:
        fields = line.split()
        local, remote = (int(field.rpartition(":")[2], 16) for field in fields[1:3])
        told.add((local, remote, int(fields[3], 16), int(fields[4].partition(":")[2], 16)))
    seen = set()
    for sock in socks(world):
        if sock.tcp is not None and sock.inet is not None:
            queued = len(sock.tcp.accept_queue) if sock.sk_state == "TCP_LISTEN" else sock.tcp.unread
            state = TCP_STATES.index(sock.sk_state)
            seen.add((sock.inet.inet_sport, sock.inet.inet_dport, state, queued))
    assert seen == told


# -- every view is a check -----------------------------------------------------------------------

FIELDS: dict[str, tuple[int, Callable[[drgn.Object], Any]]] = {
    "sk_rcvbuf": (0, lambda sk: sk.sk_rcvbuf),
    "sk_sndbuf": (0, lambda sk: sk.sk_sndbuf),
    "sk_shutdown": (0, lambda sk: sk.sk_shutdown),
    "sk_err": (2, lambda sk: sk.sk_err),
    "sk_ack_backlog": (2, lambda sk: sk.sk_ack_backlog),
    "sk_max_ack_backlog": (7, lambda sk: sk.sk_max_ack_backlog),
    "sk_wmem_alloc": (0, lambda sk: sk.sk_wmem_alloc.refs.counter),
    "sk_rmem_alloc": (5, lambda sk: sk.sk_backlog.rmem_alloc.counter),
    "sk_receive_qlen": (1, lambda sk: sk.sk_receive_queue.qlen),
    "sk_receive_queue[1].truesize": (1, lambda sk: sk.sk_receive_queue.prev.truesize),
    "sk_receive_queue[1].data": (1, lambda sk: sk.sk_receive_queue.prev.data[2]),
    "sk_priority": (5, lambda sk: sk.sk_priority),
    "inet.inet_sport": (5, lambda sk: drgn.cast("struct inet_sock *", sk).inet_sport),
    "inet.tos": (5, lambda sk: drgn.cast("struct inet_sock *", sk).tos),
    "tcp.urg_data": (3, lambda sk: drgn.cast("struct tcp_sock *", sk).urg_data),
    "tcp.bytes_sent": (3, lambda sk: drgn.cast("struct tcp_sock *", sk).bytes_sent),
    "udp.forward_deficit": (5, lambda sk: drgn.cast("struct udp_sock *", sk).forward_deficit),
    "unix.nr_fds": (0, lambda sk: drgn.cast("struct unix_sock *", sk).scm_stat.nr_fds.counter),
}


def test_a_poked_byte_is_exactly_that_field(busy: Lab) -> None:
    """Nothing is derived from something else: what changes in memory changes in the World, and alone."""
    before = busy.look()
    for field, (fd, member) in FIELDS.items():
        place = member(address_of(busy, fd))
        poke(busy, place, lambda byte: byte ^ 1)
        (difference,) = compare(busy.look(), before)
        assert difference.path.partition(".")[2] in (field, f"{field}[0]")
        poke(busy, place, lambda byte: byte ^ 1)
    assert compare(busy.look(), before) == []


# -- invariants ----------------------------------------------------------------------------------


def test_a_healthy_guest_has_no_violations(busy: Lab) -> None:
    """Whatever sockets went through, they agree with themselves."""
    do(busy, "A", "accept4", 2, 0)
    do(busy, "A", "recvfrom", 9, 150, 0)
    do(busy, "A", "shutdown", 3, 1)
    do(busy, "A", "close", 4)
    do(busy, "A", "fork", "B", 0)
    do(busy, "A", "close", 0)
    do(busy, "B", "close", 0)
    do(busy, "A", "recvfrom", 5, 3, 0)
    assert validate_socket(busy.kernel) == []


def test_a_queue_that_was_dropped_is_not_counted_back(busy: Lab) -> None:
    """A datagram socket whose peer went drops what it was sent (``unix_dgram_disconnected()``)."""
    first, second = do(busy, "A", "socketpair", 1, 2, 0).out["sv"]
    rights = {"cmsg_level": 1, "cmsg_type": 1, "cmsg_data": (second,)}
    do(busy, "A", "sendmsg", first, {"msg_iov": (b"g",), "msg_control": (rights,)}, 0)
    do(busy, "A", "close", first)
    do(busy, "A", "sendto", second, b"x", 0)
    unix = drgn.cast("struct unix_sock *", address_of(busy, second))
    assert int(unix.scm_stat.nr_fds.counter) == 1
    assert validate_socket(busy.kernel) == []


def test_a_packet_socket_counts_its_descriptors_exactly(lab: Lab) -> None:
    """Nothing drops a message of SOCK_SEQPACKET but recvmsg(), which counts back."""
    do(lab, None, "spawn", "A", {})
    do(lab, "A", "socketpair", 1, SOCK_SEQPACKET, 0)
    do(lab, "A", "sendto", 0, b"x", 0)
    assert validate_socket(lab.kernel) == []
    count = drgn.cast("struct unix_sock *", address_of(lab, 1)).scm_stat.nr_fds.counter
    poke(lab, count, lambda byte: byte + 1)
    assert ["nr_fds: is 1, but 0" in str(violation) for violation in validate_socket(lab.kernel)] == [True]


def test_a_descriptor_with_a_byte_out_of_band_is_not_counted_back(lab: Lab) -> None:
    """The buffer stays when its byte was received, and ``manage_oob()`` drops it."""
    do(lab, None, "spawn", "A", {})
    do(lab, "A", "socketpair", 1, SOCK_STREAM, 0)
    rights = {"cmsg_level": 1, "cmsg_type": 1, "cmsg_data": (0,)}
    do(lab, "A", "sendmsg", 0, {"msg_iov": (b"u",), "msg_control": (rights,)}, C["MSG_OOB"])
    assert do(lab, "A", "recvfrom", 1, 1, C["MSG_OOB"]).out["buf"] == b"u"
    do(lab, "A", "sendto", 0, b"xy", 0)
    do(lab, "A", "recvfrom", 1, 1, 0)
    assert int(drgn.cast("struct unix_sock *", address_of(lab, 1)).scm_stat.nr_fds.counter) == 1
    assert validate_socket(lab.kernel) == []


@pytest.mark.parametrize("kind", [(SOCK_DGRAM, 0), (SOCK_DGRAM, 136)], ids=["udp", "udplite"])
@pytest.mark.parametrize("family", [2, 10], ids=["ipv4", "ipv6"])
def test_an_error_that_waits_is_charged(lab: Lab, family: int, kind: tuple[int, int]) -> None:
    """``sock_queue_err_skb()`` charges what it queues to ``sk_rmem_alloc``."""
    do(lab, None, "spawn", "A", {})
    do(lab, "A", "socket", family, *kind)
    level, name = (C["SOL_IP"], C["IP_RECVERR"]) if family == 2 else (C["SOL_IPV6"], C["IPV6_RECVERR"])
    do(lab, "A", "setsockopt", 0, level, name, 1)
    do(lab, "A", "sendto", 0, b"x", 0, dest_addr=inet(9) if family == 2 else inet6(9))
    sk = address_of(lab, 0)
    assert int(sk.sk_error_queue.qlen) == 1 and int(sk.sk_backlog.rmem_alloc.counter)
    assert validate_socket(lab.kernel) == []
    poke(lab, sk.sk_backlog.rmem_alloc.counter, lambda byte: byte ^ 1)
    assert any("sk_rmem_alloc: is" in str(violation) for violation in validate_socket(lab.kernel))


def test_what_tells_of_a_packet_is_charged_to_a_connection(lab: Lab) -> None:
    """``tcp_v6_do_rcv()`` keeps a charged copy of the last packet whose traffic class is wanted."""
    do(lab, None, "spawn", "A", {})
    for fd in (0, 1):
        do(lab, "A", "socket", 10, SOCK_STREAM, 0)
        do(lab, "A", "setsockopt", fd, C["SOL_IPV6"], C["IPV6_TCLASS"], 0x20)
    do(lab, "A", "bind", 0, inet6(5000))
    do(lab, "A", "listen", 0, 1)
    do(lab, "A", "connect", 1, inet6(5000))
    end = do(lab, "A", "accept4", 0, 0).value
    do(lab, "A", "setsockopt", end, C["SOL_IPV6"], 11, 1)  # IPV6_FLOWINFO
    do(lab, "A", "sendto", 1, b"hello", 0)
    kept = drgn.cast("struct tcp6_sock *", address_of(lab, end)).inet6.pktoptions
    assert kept and int(kept.truesize)
    assert validate_socket(lab.kernel) == []


def socket_alloc(sk: drgn.Object) -> drgn.Object:
    """Return the structure around the socket of *sk* (``SOCK_INODE()``)."""
    return drgn.Object(sk.prog_, "struct socket_alloc", address=int(sk.sk_socket.value_()))


BREAKS: dict[str, tuple[int, Callable[[drgn.Object], Any], int, str]] = {
    "file": (0, lambda sk: sk.sk_socket.file, 0x08, "file: is"),
    "type": (0, lambda sk: sk.sk_socket.type, 0x04, "type: is 5, but sk_type is 1"),
    "state": (0, lambda sk: sk.sk_socket.state, 0x02, "state: is 1, but sk_state is 1"),
    "sk_wq": (0, lambda sk: sk.sk_wq, 0x08, "wq: is not the sk_wq"),
    "qlen": (1, lambda sk: sk.sk_receive_queue.qlen, 0x04, "qlen: is 6, with 2 buffers"),
    "len": (1, lambda sk: sk.sk_receive_queue.prev.len, 0x10, "len: is 21, 0 of it paged, but the head has 5 bytes"),
    "data_len": (1, lambda sk: sk.sk_receive_queue.prev.data_len, 0x80, "data_len: is 128, more than len, 5"),
    "prev": (1, lambda sk: sk.sk_receive_queue.prev, 0x08, "sk_receive_queue.prev: is 0x"),
    "users": (1, lambda sk: sk.sk_receive_queue.prev.users.refs.counter, 0x01, "users: is 0"),
    "wmem": (0, lambda sk: sk.sk_wmem_alloc.refs.counter, 0x01, "sk_wmem_alloc: is"),
    "truesize": (1, lambda sk: sk.sk_receive_queue.prev.truesize, 0x02, "sk_wmem_alloc: is"),
    "peer": (0, lambda sk: drgn.cast("struct unix_sock *", sk).peer, 0x40, "peer"),
    "nr_fds": (
        7,
        lambda sk: drgn.cast("struct unix_sock *", sk.sk_receive_queue.next.sk).scm_stat.nr_fds.counter,
        0x02,
        "nr_fds: is 0, but 2",
    ),
    "sk_shutdown": (0, lambda sk: sk.sk_shutdown, 0x08, "sk_shutdown: is"),
    "listener": (
        7,
        lambda sk: drgn.cast("struct unix_sock *", sk.sk_receive_queue.next.sk).listener,
        0x40,
        "has listener",
    ),
    "inode": (0, lambda sk: socket_alloc(sk).vfs_inode.i_sb, 0x08, "inode: is on"),
    "backlog": (3, lambda sk: sk.sk_backlog.len, 0x01, "sk_backlog: holds 1 bytes"),
    "write queue": (5, lambda sk: sk.sk_write_queue.qlen, 0x01, "sk_write_queue.qlen: is 1, with 0 buffers"),
    "rmem": (5, lambda sk: sk.sk_backlog.rmem_alloc.counter, 0x01, "sk_rmem_alloc: is"),
    "ack_backlog": (2, lambda sk: sk.sk_ack_backlog, 0x04, "sk_ack_backlog: is 6, with 2 to accept"),
    "sport": (5, lambda sk: drgn.cast("struct inet_sock *", sk).inet_sport, 0x01, "inet_sport: is"),
}


@pytest.mark.parametrize("what", BREAKS)
def test_a_broken_socket_is_told(busy: Lab, what: str) -> None:
    """One flipped bit of a structure contradicts another one."""
    fd, member, bits, expected = BREAKS[what]
    poke(busy, member(address_of(busy, fd)), lambda byte: byte ^ bits)
    found = [str(violation) for violation in validate_socket(busy.kernel)]
    assert any(expected in text for text in found), found


def test_sequence_numbers_that_do_not_fit(busy: Lab) -> None:
    """A receive queue is one piece of the stream that ends at ``rcv_nxt``."""
    do(busy, "A", "accept4", 2, 0)
    tcp = drgn.cast("struct tcp_sock *", address_of(busy, 9))
    poke(busy, tcp.rcv_nxt, lambda byte: byte + 1)
    assert any("rcv_nxt: is" in str(violation) for violation in validate_socket(busy.kernel))
    poke(busy, tcp.rcv_nxt, lambda byte: byte - 1)
    assert validate_socket(busy.kernel) == []
    poke(busy, int(tcp.copied_seq.address_ or 0) + 3, lambda byte: byte ^ 0x80)
    assert any("before copied_seq" in str(violation) for violation in validate_socket(busy.kernel))


# -- /proc, the second reader of sockets and of their tables ---------------------------------------


def lines_of(lab: Lab, path: bytes) -> list[list[str]]:
    """Return the fields of every line but the first of a file, as A reads it."""
    fd = do(lab, "A", "open", path, 0, 0).value
    text = b""
    while data := do(lab, "A", "read", fd, 4000).out["buf"]:
        text += data
    do(lab, "A", "close", fd)
    return [line.split() for line in text.decode("ascii", "replace").splitlines()[1:]]


def test_proc_net_unix_agrees(busy: Lab) -> None:
    """Type, state, inode and name of every AF_UNIX socket (``unix_seq_show()``)."""
    world = busy.look()
    lines = lines_of(busy, b"/proc/net/unix")
    told = {(int(line[4], 16), int(line[5], 16), line[7] if len(line) > 7 else "") for line in lines}
    seen = set()
    for sock in socks(world):
        if sock.unix is not None:
            front = world.objects.get(sock.sk_socket) if sock.sk_socket is not None else None
            # SS_UNCONNECTED or SS_CONNECTED of a socket, SS_CONNECTING of an embryo
            state = SOCKET_STATES.index(front.state) if front is not None else 2
            state = state if front is not None else (2 if sock.sk_state == "TCP_ESTABLISHED" else 4)
            name = (sock.unix.addr or b"").rstrip(b"\0").decode()
            seen.add((1, state, name))
    assert seen == told
    inodes = {line[6] for line in lines} - {"0"}
    fronts = [value for value in world.of_kind("socket").values() if isinstance(value, Socket)]
    assert inodes <= {str(front.i_ino) for front in fronts}


def test_proc_net_udp_and_protocols_agree(busy: Lab) -> None:
    """Ports, memory and inodes of UDP (``udp4_format_sock()``); what ``proto_register()`` was called for."""
    world = busy.look()
    told = {
        (int(line[1].rpartition(":")[2], 16), int(line[4].rpartition(":")[2], 16), int(line[9]))
        for line in lines_of(busy, b"/proc/net/udp")
    }
    seen = set()
    for sock in socks(world):
        if sock.udp is not None and sock.inet is not None and sock.sk_socket is not None:
            assert sock.sk_rmem_alloc is not None
            queued = sock.sk_rmem_alloc - sock.udp.forward_deficit
            front = world.objects[sock.sk_socket]
            seen.add((sock.inet.inet_sport, queued, front.i_ino))
    assert seen == told
    names = {line[0] for line in lines_of(busy, b"/proc/net/protocols")}
    tables = world.objects[TABLES]
    assert {"TCP", "UDP", "RAW", "PING", "UDP-Lite", "UNIX", "UNIX-STREAM"} <= names
    assert len([entry for lists in tables.inetsw.values() for entry in lists]) == 5


def test_fstat_and_fdinfo_agree(busy: Lab) -> None:
    """The inode beside a socket by other ways: fstat(), /proc/PID/fdinfo (``seq_show()``)."""
    world = busy.look()
    process = world.objects[Ref("process", "A")]
    for fd, slot in world.objects[process.files].fds.items():
        file = world.objects[slot.file]
        front = world.objects[file.target]
        stat = do(busy, "A", "fstat", fd).out["statbuf"]
        assert (stat["st_ino"], stat["st_uid"], stat["st_nlink"]) == (front.i_ino, front.i_uid, 1)
        assert stat["st_mode"] == 0o140777 and front.i_mode == "S_IFSOCK|0777"
        text = busy.guest.agent.read_file(f"/proc/{process.pid}/fdinfo/{fd}").decode()
        told = dict(line.split(":", 1) for line in text.splitlines())
        assert int(told["ino"]) == front.i_ino
        assert bool(int(told["flags"], 8) & SOCK_NONBLOCK) == ("O_NONBLOCK" in file.f_flags)
    info = do(busy, "A", "getsockopt", 3, SOL_TCP, C["TCP_INFO"]).out["optval"]
    tcp = next(sock.tcp for sock in socks(world) if sock.tcp is not None and sock.tcp.bytes_sent == 300)
    assert (info["tcpi_state"], info["tcpi_bytes_sent"], info["tcpi_notsent_bytes"]) == (1, tcp.bytes_sent, tcp.unsent)


def test_a_poked_table_is_found(busy: Lab) -> None:
    """``inetsw[]`` and ``net_families[]`` are compared: one byte of an entry is one field."""
    before = busy.look()
    prog = busy.kernel.prog
    for place, path in (
        (prog["inetsw_array"][0].protocol, "inetsw[1][0].protocol"),
        (prog["net_families"][2].create, "net_families[2].create"),
        (prog["inet_protos"][17].handler, "inet_protos[17]"),
    ):
        poke(busy, place, lambda byte: byte ^ 1)
        (difference,) = compare(busy.look(), before)
        assert difference.path.partition(".")[2].startswith(path) or path in difference.path
        poke(busy, place, lambda byte: byte ^ 1)
    assert compare(busy.look(), before) == []
