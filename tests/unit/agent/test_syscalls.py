"""Calls made, refused and written down."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ktrace.agent.syscalls import (
    CONSTANTS,
    OPERATIONS,
    SIGNATURES,
    decode,
    encode,
    format_call,
    format_result,
    make_call,
    signature,
)
from ktrace.errors import GuestGarbage, UsageError
from ktrace.state.call import BAD, NULL, Call, Pointer, Result
from ktrace.uapi.socket import SOL_SOCKET

C = CONSTANTS
ARENA, SIZE = 0x10000, 0x40000


@pytest.mark.parametrize(
    ("call", "args"),
    [
        (make_call("write", 3, b"abc"), (3, b"abc", 3)),
        (make_call("write", 3, b"abc", 2), (3, b"abc", 2)),
        (make_call("write", fd=3, buf=b"abc", count=9), (3, b"abc", 9)),
        (make_call("msgsnd", 1, (2, b"xy")), (1, {"mtype": 2, "mtext": b"xy"}, 0, 2)),
        (make_call("msgsnd", 1, (2, b"xy"), 5, 4), (1, {"mtype": 2, "mtext": b"xy"}, 4, 5)),
        (make_call("msgsnd", 1, (2, b"xy"), 4), (1, {"mtype": 2, "mtext": b"xy"}, 4, 2)),
        (make_call("semop", 1, [(0, -1)]), (1, ({"sem_num": 0, "sem_op": -1, "sem_flg": 0},), 1)),
        (make_call("mmap", NULL, 4096, 1, 2), (0, 4096, 1, 2, -1, 0)),
        (make_call("mkfifo", b"/tmp/f", 0o600), (b"/tmp/f", 0o010600, 0)),
        (make_call("send", 3, b"abc", 0), (3, b"abc", 0, None, 3, 0)),
        (make_call("send", 3, b"abc", 2, 0x40), (3, b"abc", 0x40, None, 2, 0)),
        (make_call("connect", 3, {"sa_family": 1, "sun_path": b"\0x"}), (3, {"sa_family": 1, "sun_path": b"\0x"}, 4)),
        (make_call("splice", 0, NULL, 1, 5, 10), (0, None, 1, 5, 10, 0)),
        (make_call("spawn", "B", {"uid": 1, "groups": [2, 3]}), ("B", {"uid": 1, "groups": (2, 3)})),
        (make_call("sigaction", 13, 1), (13, "IGN")),
        (make_call("sysctl", b"kernel/sem", b"1 2"), ("kernel/sem", "1 2")),
    ],
)
def test_arguments_are_always_complete(call: Call, args: tuple[Any, ...]) -> None:
    assert call.args == args
    assert call.pointers == {}


def test_addresses_stand_for_out_buffers() -> None:
    assert make_call("read", 3, BAD, 10) == Call("read", (3, 10), {"buf": BAD})
    assert make_call("read", 3, 0x5000, 10).pointers == {"buf": Pointer(0x5000)}
    assert make_call("recv", 3, 10).pointers == {"addr": NULL}
    assert make_call("accept", 3, NULL, NULL) == Call("accept", (3, NULL), {"addr": NULL})
    raw = encode(make_call("read", 3, BAD, 10), ARENA, SIZE)
    assert raw.args[:3] == (3, BAD.value, 10) and raw.loads == () and raw.stores == ()
    assert encode(make_call("write", 3, BAD, 10), ARENA, SIZE).args[1] == BAD.value


@pytest.mark.parametrize(
    ("make", "message", "hint"),
    [
        (lambda: make_call("raed", 3), "unknown call 'raed'", "read"),
        (lambda: make_call("read", 3), "needs 'count'", "read(fd, count), or all of (fd, buf, count)"),
        (lambda: make_call("read", 3, 4, 5, 6), "takes 2 arguments, not 4", "count"),
        (lambda: make_call("read", 3, count=1, cont=2), "no parameter 'cont'", "count"),
        (lambda: make_call("read", 3, fd=3), "'fd' twice", None),
        (lambda: make_call("read", 3, b"x", 10), "written by the kernel", None),
        (lambda: make_call("read", b"x", 10), "fd is a descriptor, not b'x'", None),
        (lambda: make_call("write", 3, 0x5000), "buf is an address", "C prototype"),
        (lambda: make_call("write", 3, [1]), "buf is a string", None),
        (lambda: make_call("semop", 1, 1, 2, 3), "takes 3 arguments", None),
        (lambda: make_call("semop", 1, b"x"), "sops is an array", "brackets"),
        (lambda: make_call("semop", 1, [(1, 2, 3, 4)]), "has 3 members, not 4", None),
        (lambda: make_call("semop", 1, [{"sem_no": 1}]), "no member 'sem_no'", "sem_num, sem_op, sem_flg"),
        (lambda: make_call("bind", 1, {"sa_family": 2, "sin_prt": 1}), "no member 'sin_prt'", "sin_port"),
        (lambda: make_call("bind", 1, {"sa_family": 2, "sin_addr": "1.2.3"}), "no IP address", None),
        (lambda: make_call("bind", 1, b"/tmp/x"), "a socket address is expected", "unix("),
        (lambda: make_call("msgsnd", 1, (1,)), "msgp is a message", None),
        (lambda: make_call("sigaction", 1, 7), "a handler is one of", None),
        (lambda: make_call("spawn", "B", {"user": 1}), "credentials are uid", None),
        (lambda: make_call("send", 1, b"x", 2, 3, 4), "at most 4 arguments", None),
        (lambda: make_call("sendmsg", 1, {"msg_iv": ()}), "a message is expected", "msg_iov"),
        (lambda: make_call("sendmsg", 1, {"msg_iov": (b"x",), "msg_control": ((1, 2),)}), "control message", None),
        (lambda: make_call("poll", [(1, 2, 3, 4)], 0), "has 3 members", None),
        (lambda: make_call("select", 1, (2000,), None, None, None), "below 1024", None),
    ],
)
def test_what_cannot_be_a_call(make: Any, message: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as raised:
        make()
    assert message in raised.value.message
    if hint is not None:
        assert hint in (raised.value.hint or "")


def test_what_cannot_be_encoded() -> None:
    with pytest.raises(UsageError, match="do not fit into an actor's arena"):
        encode(make_call("write", 1, bytes(SIZE + 1)), ARENA, SIZE)
    with pytest.raises(UsageError, match="no actor 'B' is alive"):
        encode(make_call("kill", "B", 9), ARENA, SIZE, {"A": 5})
    with pytest.raises(UsageError, match="is no system call"):
        encode(make_call("fork", "B"), ARENA, SIZE)
    with pytest.raises(UsageError, match="needs the number of values"):
        encode(make_call("semctl", 1, 0, C["GETALL"]), ARENA, SIZE)
    with pytest.raises(UsageError, match="read has 2 arguments, not 1"):
        encode(Call("read", (1,)), ARENA, SIZE)
    assert encode(make_call("kill", "B", 9), ARENA, SIZE, {"B": 77}).args[:2] == (77, 9)


def test_counts_beyond_the_arena_are_passed_on() -> None:
    raw = encode(make_call("read", 0, 2**31 - 1), ARENA, SIZE)
    assert raw.args[2] == 2**31 - 1
    assert raw.loads[0].length <= SIZE and raw.loads[0].scale == 1
    assert encode(make_call("read", 0, -1), ARENA, SIZE).args[2] == 2**64 - 1


def test_missing_buffers_are_garbage() -> None:
    with pytest.raises(GuestGarbage, match="without its out-buffers"):
        decode(make_call("pipe2", 0), 0, ())
    assert decode(make_call("pipe2", 0), -14, ()) == Result(-1, "EFAULT")
    assert decode(make_call("close", 0), -4000, ()) == Result(-1, "errno 4000")


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (make_call("pipe2", C["O_NONBLOCK"] | C["O_CLOEXEC"]), "pipe2(O_NONBLOCK|O_CLOEXEC)"),
        (make_call("pipe2", 1 << 30), "pipe2(0x40000000)"),
        (make_call("open", b"/tmp/f", 0o102, 0o640), 'open("/tmp/f", O_RDWR|O_CREAT, 0640)'),
        (make_call("read", 3, 100), "read(3<r>, 100)"),
        (make_call("read", 3, NULL, 100), "read(3<r>, NULL, 100)"),
        (make_call("write", 4, b"x" * 40), f'write(4, "{"x" * 32}"..., 40)'),
        (make_call("write", 4, b'\0\n"\xff'), r'write(4, "\x00\n\"\xff", 4)'),
        (make_call("semget", 0, 2, 0o1600), "semget(IPC_PRIVATE, 2, IPC_CREAT|0600)"),
        (
            make_call("semop", 7, [(0, -1, 0x1000)]),
            "semop(7, [{sem_num=0, sem_op=-1, sem_flg=SEM_UNDO}], 1)",
        ),
        (make_call("semctl", 7, 0, 16, 5), "semctl(7, 0, SETVAL, 5)"),
        (make_call("semctl", 7, 0, 77), "semctl(7, 0, 77)"),
        (make_call("msgsnd", 1, (1, b"text")), 'msgsnd(1, {1, "text"}, 4, 0)'),
        (make_call("shmat", 1, 0x1000, 0o10000), "shmat(1, 0x1000, SHM_RDONLY)"),
        (make_call("socket", 1, 0o4001), "socket(AF_UNIX, SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_IP)"),
        (make_call("socket", 99, 12), "socket(99, 0xc, IPPROTO_IP)"),
        (
            make_call("connect", 3, {"sa_family": 2, "sin_addr": "127.0.0.1", "sin_port": 80}),
            'connect(3<r>, inet("127.0.0.1", 80), 16)',
        ),
        (make_call("bind", 3, {"sa_family": 1, "sun_path": b"\0x"}), 'bind(3<r>, unix(@"x"), 4)'),
        (
            make_call("sendmsg", 4, {"msg_iov": (b"a",), "msg_control": ((1, 1, (3,)),)}),
            'sendmsg(4, {msg_iov=["a"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [3]}]}, 0)',
        ),
        (
            make_call("setsockopt", 3, SOL_SOCKET, C["SO_REUSEADDR"], 1),
            "setsockopt(3<r>, SOL_SOCKET, SO_REUSEADDR, [1], 4)",
        ),
        (make_call("fcntl", 3, C["F_SETFL"], C["O_NONBLOCK"]), "fcntl(3<r>, F_SETFL, O_RDONLY|O_NONBLOCK)"),
        (make_call("fcntl", 3, C["F_SETOWN"], "B"), "fcntl(3<r>, F_SETOWN, B)"),
        (make_call("kill", "B", 10), "kill(B, SIGUSR1)"),
        (make_call("fork", "B", C["CLONE_SYSVSEM"]), "fork(B, CLONE_SYSVSEM)"),
        (make_call("spawn", "B", {"uid": 5}), "spawn(B, uid=5)"),
        (make_call("sigaction", 13, 1), "sigaction(SIGPIPE, SIG_IGN)"),
        (make_call("sysctl", "kernel/sem", "1 2"), 'sysctl("kernel/sem", "1 2")'),
        (make_call("load", 0x7000, 3), "load(0x7000, 3)"),
        (make_call("nanosleep", (1, 5)), "nanosleep({tv_sec=1, tv_nsec=5})"),
        (make_call("prlimit64", 0, 7, (1, 2)), "prlimit64(0, RLIMIT_NOFILE, {rlim_cur=1, rlim_max=2})"),
        (make_call("openat", -100, b"x", 0), 'openat(AT_FDCWD, "x", O_RDONLY, 0)'),
    ],
)
def test_calls_are_written_like_strace_does(call: Call, text: str) -> None:
    assert format_call(call, {3: "r"}) == text


def test_results_and_calls_with_results() -> None:
    read = make_call("read", 3, 100)
    done = Result(5, None, {"buf": b"hello"})
    assert format_call(read, result=done) == 'read(3, "hello", 100)'
    assert format_result(read, done) == '5 "hello"'
    assert format_result(read, done, outs=False) == "5"
    assert format_result(read, Result(-1, "EAGAIN")) == "-1 EAGAIN"
    pipe = make_call("pipe2", 0)
    assert format_call(pipe, {3: "r", 4: "w"}, Result(0, None, {"pipefd": (3, 4)})) == "pipe2([3<r>, 4<w>], 0)"
    rcv = make_call("msgrcv", 0, 10)
    assert format_call(rcv, result=Result(2, None, {"mtype": 7, "mtext": b"ab"})) == 'msgrcv(0, {7, "ab"}, 10, 0, 0)'
    assert format_result(rcv, Result(2, None, {"mtype": 7, "mtext": b"ab"})) == '2 mtype=7 mtext="ab"'
    accept = make_call("accept", 3)
    came = Result(4, None, {"addr": {"sa_family": 1, "sun_path": b""}, "addrlen": 2})
    assert format_call(accept, result=came) == "accept(3, unix(), [128 => 2])"
    assert format_result(make_call("shmat", 1), Result(0x7000)) == "0x7000"
    assert format_result(make_call("fcntl", 3, C["F_GETFL"]), Result(0o4001)) == "O_WRONLY|O_NONBLOCK"
    poll = make_call("poll", [(3, 5)], 0)
    assert (
        format_call(poll, result=Result(1, None, {"revents": (4,)}))
        == "poll([{fd=3, events=POLLIN|POLLOUT, revents=POLLOUT}], 1, 0)"
    )


def test_what_calls_return_is_known() -> None:
    def kind(call: Call) -> str:
        return signature(call.name).returns(call).kind

    assert kind(make_call("dup", 1)) == "fd"
    assert kind(make_call("fcntl", 1, C["F_DUPFD"], 5)) == "fd"
    assert kind(make_call("fcntl", 1, C["F_GETOWN"])) == "pid"
    assert kind(make_call("semctl", 1, 0, C["GETPID"])) == "pid"
    assert kind(make_call("semctl", 1, 0, C["SEM_STAT"])) == "ipc"
    assert kind(make_call("shmat", 1)) == "address"


def test_every_signature_is_sound() -> None:
    for entry in [*SIGNATURES.values(), *OPERATIONS.values()]:
        assert len(set(entry.names)) == len(entry.names), entry.name
        assert len(entry.places) <= 6, entry.name
        assert set(entry.names) | entry.outs == set(entry.places) | set(entry.names), entry.name
    numbers = [entry.nr for name, entry in SIGNATURES.items() if name != "mkfifo"]  # the library's word for mknod
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("kill", {"pid": 1 << 32 | 7, "sig": 1 << 63}, (7, 0)),
        ("close", {"fd": (1 << 32) - 1}, ((1 << 32) - 1,)),
        ("close", {"fd": (1 << 33) - 1}, (-1,)),
        ("mkdir", {"pathname": b"d", "mode": 0x10FFF}, (b"d", 0xFFF)),
        ("lseek", {"fd": 0, "offset": 1 << 63, "whence": 0}, (0, -1 << 63, 0)),
        ("read", {"fd": 0, "count": 1 << 63}, (0, 1 << 63)),
    ],
)
def test_numbers_are_as_wide_as_the_call_has_them(name: str, args: dict[str, Any], expected: tuple[Any, ...]) -> None:
    assert make_call(name, **args).args == expected


@pytest.mark.parametrize(
    ("name", "args", "said"),
    [
        ("close", (NULL,), "close: fd is a descriptor, not NULL"),
        ("read", (3, NULL), "read: count is a number, not NULL"),
        ("fcntl", (3, C["F_SETFL"], NULL), "fcntl: arg is a number, not NULL"),
        (
            "poll",
            ([((1 << 32) + 3, 1)], 0),
            "fd of struct pollfd is a number from -2147483648 to 2147483647",
        ),
        ("semop", (5, [(0, 40000, 0)]), "semop: sem_op of struct sembuf is a number from -32768 to 32767, not 40000"),
        ("semctl", (5, 0, C["SETALL"], [70000]), "semctl: what arg holds is a number from 0 to 65535, not 70000"),
        ("semctl", (5, 0, C["SETVAL"], NULL), "semctl: arg is a number, not NULL"),
        ("msgsnd", (5, (1 << 63, b"x")), "msgsnd: mtype of msgp is a number from "),
        ("setgroups", ([1 << 32],), "setgroups: what list holds is a number from 0 to 4294967295, not 4294967296"),
        ("bind", (3, {"sa_family": 2, "sin_port": 65536}), "bind: sin_port is a number from 0 to 65535, not 65536"),
        ("sendmsg", (3, {"msg_name": b"x"}), "sendmsg: a socket address is expected, not b'x'"),
        ("sendmsg", (3, {"msg_controllen": None}), "msg_controllen of struct msghdr is a number, not None"),
        ("sendmsg", (3, {"msg_control": [(1, 1, [1 << 31])]}), "sendmsg: what cmsg_data holds is a number from "),
        ("recvmsg", (3, {"msg_iov": [10], "msg_namelen": 1 << 31}), "msg_namelen of struct msghdr is a number from "),
        ("setsockopt", (3, 1, 8, 1 << 32), "setsockopt: optval is a number from 0 to 4294967295, not 4294967296"),
        ("readv", (3, [-1]), "a length of an iovec is 0 or more, not -1"),
        ("nanosleep", (5,), "nanosleep: req is a buffer, not 5"),
        ("open", (b"a\0b", 0), "pathname ends at its zero byte"),
        ("mkfifo", (b"f", NULL), "mode is a number, not NULL"),
    ],
)
def test_what_does_not_fit_is_neither_cut_nor_taken_for_0(name: str, args: tuple[Any, ...], said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        make_call(name, *args)


def test_a_member_without_a_sign_takes_its_bits_with_one() -> None:
    (ops,) = make_call("semop", 5, [(-1, 1, 0x8000)]).args[1:2]
    assert encode(make_call("semop", 5, ops), 0x1000, 0x1000).stores[0][1] == b"\xff\xff\x01\x00\x00\x80"


def test_every_parameter_says_its_type() -> None:
    for entry in (*SIGNATURES.values(), *OPERATIONS.values()):
        assert all(param.c_type for param in entry.params if param.places), entry.name


def test_a_signal_mask_with_a_sign_can_be_given() -> None:
    raw = encode(make_call("rt_sigprocmask", 0, -1), 0x1000, 0x1000)
    assert raw.stores[0][1] == b"\xff" * 8
