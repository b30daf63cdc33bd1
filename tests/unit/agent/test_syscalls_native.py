"""Encoding and decoding proved by the host's own kernel: real calls of real actors, through the real agent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ktrace.agent.actors import Actors
from ktrace.agent.client import Agent
from ktrace.agent.syscalls import CONSTANTS, make_call
from ktrace.state.call import BAD, Call, Completed, Exited, Result, Signalled
from ktrace.uapi.signal import signal_name
from ktrace.uapi.socket import SOL_SOCKET

C = CONSTANTS
UNNAMED = {"sa_family": 1, "sun_path": b""}


class One:
    """One actor that makes calls by name; keyword arguments are those of the signature."""

    def __init__(self, actors: Actors) -> None:
        self.actors = actors
        actors.perform(None, make_call("spawn", "A", {}))

    def outcome(self, name: str, *args: Any, actor: str = "A", **named: Any) -> Any:
        return self.actors.perform(actor, make_call(name, *args, **named)).outcome

    def __call__(self, name: str, *args: Any, actor: str = "A", **named: Any) -> Result:
        for event in self.outcome(name, *args, actor=actor, **named).events:
            if isinstance(event, Completed) and event.actor == actor:
                return event.result
        raise AssertionError(f"{name} did not return")

    def ok(self, name: str, *args: Any, **named: Any) -> Result:
        result = self(name, *args, **named)
        assert result.errno is None, (name, args, result)
        return result


@pytest.fixture
def do(agent: Agent) -> One:
    return One(Actors(agent, agent.hello()))


def test_pipe_read_write(do: One) -> None:
    assert do("pipe2", 0) == Result(0, None, {"pipefd": (0, 1)})
    assert do("write", 1, b"hello" * 20) == Result(100)
    assert do("read", 0, 10) == Result(10, None, {"buf": b"hellohello"})
    assert do("ioctl", 0, C["FIONREAD"]).out == {"arg": 90}
    assert do("write", 1, b"abcdef", count=3) == Result(3)
    assert do("writev", 1, (b"one", b"", b"two")) == Result(6)
    assert do("readv", 0, (90, 2, 100)).out == {"buf": b"hello" * 18 + b"abconetwo"}
    assert do("write", 1, b"lost").value == 4
    assert do("read", 0, BAD, 10) == Result(-1, "EFAULT")
    assert do("write", 1, BAD, 10) == Result(-1, "EFAULT")
    assert do("pipe2", BAD, 0) == Result(-1, "EFAULT")
    assert do("pipe2", 1 << 30) == Result(-1, "EINVAL")
    assert do("writev", 1, ((0xBAD00, 5), b"x")) == Result(-1, "EFAULT")
    assert do("read", 99, 10) == Result(-1, "EBADF")
    assert do("fcntl", 1, C["F_GETPIPE_SZ"]).value == 65536


def test_a_blocked_call_is_decoded_when_it_completes(do: One) -> None:
    do.ok("pipe")
    do.ok("fork", "B")
    blocked = do.outcome("read", 0, 100, actor="B")
    assert blocked.events == () and blocked.blocked == {"B"}
    events = do.outcome("write", 1, b"late").events
    assert Completed("B", Result(4, None, {"buf": b"late"})) in events


@pytest.mark.parametrize("signo", range(32, 65))
def test_who_dies_of_a_real_time_signal_is_reported(do: One, signo: int) -> None:
    do.ok("fork", "B")
    do("sigaction", signo, "DFL", actor="B")
    ended = do.actors.perform(None, make_call("kill", "B", signo)).outcome
    assert ended.events == (Exited("B", None, signal_name(signo)),)


def test_splice_tee_sendfile(do: One, tmp_path: Path) -> None:
    do.ok("pipe")
    do.ok("pipe")
    do.ok("write", 1, b"0123456789")
    assert do("tee", 0, 3, 4).value == 4
    assert do("read", 2, 10).out == {"buf": b"0123"}
    path = str(tmp_path / "file").encode()
    fd = do.ok("open", path, C["O_RDWR"] | C["O_CREAT"], 0o600).value
    assert do("splice", 0, None, fd, 5, 100) == Result(10, None, {"off_out": 15})
    assert do("pread64", fd, 100, 5).out == {"buf": b"0123456789"}
    assert do("pwrite64", fd, b"XY", 5).value == 2
    assert do("sendfile", 3, fd, 5, 4) == Result(4, None, {"offset": 9})
    assert do("read", 2, 10).out == {"buf": b"XY23"}
    page = do.ok("mmap", 0, 4096, C["PROT_READ"] | C["PROT_WRITE"], C["MAP_PRIVATE"] | C["MAP_ANONYMOUS"]).value
    do.actors.perform("A", make_call("store", page, b"gift"))
    assert do("vmsplice", 3, ({"iov_base": page, "iov_len": 4},), 0).value == 4
    assert do("read", 2, 10).out == {"buf": b"gift"}
    assert do("munmap", page, 4096).value == 0
    assert do("preadv", fd, (2, 3), 5).out == {"buf": b"XY234"}
    assert do("pwritev", fd, (b"a", b"b"), 0).value == 2
    assert do("lseek", fd, 0, C["SEEK_END"]).value == 15
    assert do("ftruncate", fd, 3).value == 0
    found = do("fstat", fd).out["statbuf"]
    real = os.stat(path)
    assert (found["st_ino"], found["st_size"], found["st_mode"]) == (real.st_ino, 3, real.st_mode)
    assert found["st_mtime"] == int(real.st_mtime) and found["st_dev"] == real.st_dev
    assert do("stat", path).out["statbuf"]["st_ino"] == real.st_ino
    assert do("readlink", f"/proc/self/fd/{fd}".encode(), 400).out == {"buf": path}
    assert do("mkfifo", path + b".fifo", 0o640).value == 0
    assert oct(os.stat(path + b".fifo").st_mode) == "0o10640"


def test_poll_select_epoll(do: One) -> None:
    do.ok("pipe")
    fds = ({"fd": 0, "events": C["POLLIN"]}, {"fd": 1, "events": C["POLLOUT"]}, {"fd": 9, "events": 1})
    assert do("poll", fds, 0) == Result(2, None, {"revents": (0, C["POLLOUT"], C["POLLNVAL"])})
    do.ok("write", 1, b"x")
    no_time = {"tv_sec": 0, "tv_nsec": 0}
    assert do("ppoll", fds, no_time).out == {"revents": (C["POLLIN"], C["POLLOUT"], C["POLLNVAL"])}
    assert do("select", 2, (0,), (1,), None, (0, 0)).out == {"readfds": (0,), "writefds": (1,)}
    assert do("pselect6", 1, (0,), None, None, no_time).out == {"readfds": (0,)}
    assert do("select", 51, (50,), None, None, (0, 0)) == Result(-1, "EBADF")
    ep = do.ok("epoll_create1", 0).value
    assert do("epoll_ctl", ep, C["EPOLL_CTL_ADD"], 0, {"events": C["EPOLLIN"], "data": 2**63 + 7}).value == 0
    assert do("epoll_wait", ep, 10, 0) == Result(1, None, {"events": ({"events": C["EPOLLIN"], "data": 2**63 + 7},)})
    assert do("epoll_ctl", ep, C["EPOLL_CTL_DEL"], 0).value == 0
    assert do("epoll_wait", ep, 10, 0) == Result(0, None, {"events": ()})


@pytest.fixture
def semid(do: One) -> Iterator[int]:
    semid = do.ok("semget", 0, 3, 0o600).value
    yield semid
    do("semctl", semid, 0, C["IPC_RMID"])


def test_semaphores(do: One, semid: int) -> None:
    assert do("semctl", semid, 0, C["SETALL"], [1, 2, 3]).value == 0
    assert do("semop", semid, [(0, -1, 0), {"sem_num": 1, "sem_op": 5}]).value == 0
    assert do("semctl", semid, 0, C["GETALL"], 3).out == {"array": (0, 7, 3)}
    assert do("semctl", semid, 2, C["SETVAL"], 9).value == 0
    assert do("semctl", semid, 2, C["GETVAL"]).value == 9
    mine = do("semctl", semid, 2, C["GETPID"])
    assert (mine.value, mine.out) == (do.actors.pids["A"], {"actor": "A"})
    assert do("semop", semid, [(0, -1, C["IPC_NOWAIT"])]) == Result(-1, "EAGAIN")
    assert do("semtimedop", semid, [(0, -1, 0)], {"tv_sec": 0, "tv_nsec": 1}) == Result(-1, "EAGAIN")
    assert do("semop", semid, BAD, 1) == Result(-1, "EFAULT")
    assert do("semctl", semid, 0, C["IPC_SET"], {"uid": 5, "gid": 6, "mode": 0o640}).value == 0
    seen = do("semctl", semid, 0, C["IPC_STAT"]).out["buf"]
    assert seen["sem_nsems"] == 3 and seen["sem_otime"] > 0 and seen["sem_ctime"] >= seen["sem_otime"] - 1
    perm = seen["sem_perm"]
    assert (perm["uid"], perm["gid"], perm["mode"], perm["key"]) == (5, 6, 0o640, 0)
    assert do("semctl", 0, 0, C["IPC_INFO"]).out["buf"]["semvmx"] == 32767
    assert do("semctl", semid, 0, C["IPC_STAT"], BAD) == Result(-1, "EFAULT")


@pytest.fixture
def msqid(do: One) -> Iterator[int]:
    msqid = do.ok("msgget", 0, 0o600).value
    yield msqid
    do("msgctl", msqid, C["IPC_RMID"])


def test_messages(do: One, msqid: int) -> None:
    assert do("msgsnd", msqid, (7, b"seven")).value == 0
    assert do("msgsnd", msqid, {"mtype": 1, "mtext": b"x" * 5000}).value == 0
    assert do("msgsnd", msqid, (1, b"abc"), 2, 0).value == 0
    seen = do("msgctl", msqid, C["IPC_STAT"]).out["buf"]
    assert (seen["msg_qnum"], seen["msg_cbytes"], seen["msg_lspid"], seen["msg_lrpid"]) == (3, 5007, "A", 0)
    assert do("msgrcv", msqid, 100, 7) == Result(5, None, {"mtype": 7, "mtext": b"seven"})
    assert do("msgrcv", msqid, 3, 0) == Result(-1, "E2BIG")
    assert do("msgrcv", msqid, 6000, -1).out == {"mtype": 1, "mtext": b"x" * 5000}
    assert do("msgrcv", msqid, 6000, 0).out == {"mtype": 1, "mtext": b"ab"}
    assert do("msgctl", msqid, C["IPC_SET"], {"mode": 0o600, "msg_qbytes": 100}).value == 0
    assert do("msgctl", msqid, C["IPC_STAT"]).out["buf"]["msg_qbytes"] == 100
    assert do("msgctl", 0, C["MSG_INFO"]).out["buf"]["msgmnb"] > 0


def test_shared_memory(do: One) -> None:
    shmid = do.ok("shmget", 0, 5000, 0o600).value
    try:
        addr = do.ok("shmat", shmid).value
        assert do("store", addr, b"abc").value == 0
        assert do("load", addr, 4).out == {"buf": b"abc\0"}
        seen = do("shmctl", shmid, C["IPC_STAT"]).out["buf"]
        assert (seen["shm_segsz"], seen["shm_nattch"], seen["shm_cpid"], seen["shm_lpid"]) == (5000, 1, "A", "A")
        assert do("shmctl", 0, C["IPC_INFO"]).out["buf"]["shmmni"] > 0
        assert do("shmctl", 0, C["SHM_INFO"]).out["buf"]["used_ids"] >= 1
        assert do("shmdt", addr).value == 0
        assert do("load", addr, 1) == Result(-1, "EFAULT")
    finally:
        do("shmctl", shmid, C["IPC_RMID"])


def test_unix_sockets(do: One, tmp_path: Path) -> None:
    path: dict[str, Any] = {"sa_family": 1, "sun_path": str(tmp_path / "s").encode()}
    size = 2 + len(path["sun_path"]) + 1
    server = do.ok("socket", 1, 1).value
    assert do("bind", server, path).value == 0
    assert do("listen", server, 5).value == 0
    client = do.ok("socket", 1, 1).value
    assert do("connect", client, path).value == 0
    accepted = do("accept", server)
    assert accepted.out == {"addr": UNNAMED, "addrlen": 2}
    assert do("getpeername", client).out == {"addr": path, "addrlen": size}
    assert do("getsockname", client, addrlen=2).out == {"addr": UNNAMED, "addrlen": 2}
    cut = do("getpeername", client, addrlen=6)
    assert cut.out == {"addr": {"sa_family": 1, "sun_path": path["sun_path"][:4]}, "addrlen": size}
    assert do("getsockopt", client, C["SOL_SOCKET"], C["SO_PEERCRED"]).out["optval"]["pid"] == "A"
    assert do("getsockopt", client, SOL_SOCKET, C["SO_TYPE"]).out == {"optval": 1, "optlen": 4}
    assert do("setsockopt", client, SOL_SOCKET, C["SO_LINGER"], {"l_onoff": 1, "l_linger": 3}).value == 0
    assert do("getsockopt", client, SOL_SOCKET, C["SO_LINGER"]).out["optval"] == {"l_onoff": 1, "l_linger": 3}
    assert do("setsockopt", client, SOL_SOCKET, C["SO_RCVTIMEO"], {"tv_sec": 2, "tv_usec": 500000}).value == 0
    assert do("getsockopt", client, SOL_SOCKET, C["SO_RCVTIMEO"]).out["optval"] == {"tv_sec": 2, "tv_usec": 500000}
    abstract = {"sa_family": 1, "sun_path": b"\0ktrace-test-%d" % os.getpid()}
    other = do.ok("socket", 1, 2).value
    assert do("bind", other, abstract).value == 0
    assert do("getsockname", other).out["addr"] == abstract


def test_descriptors_and_credentials_in_messages(do: One) -> None:
    a, b = do.ok("socketpair", 1, 2).out["sv"]
    r, _ = do.ok("pipe").out["pipefd"]
    assert do("setsockopt", b, SOL_SOCKET, C["SO_PASSCRED"], 1).value == 0
    rights = (1, C["SCM_RIGHTS"], (r, r))
    assert do("sendmsg", a, {"msg_iov": (b"two ", b"parts"), "msg_control": (rights,)}).value == 9
    got = do("recvmsg", b, {"msg_iov": (3, 100), "msg_controllen": 128})
    assert got.out["buf"] == b"two parts" and got.out["msg_flags"] == 0 and got.out["msg_namelen"] == 0
    credentials, descriptors = got.out["msg_control"]
    if credentials["cmsg_type"] != C["SCM_CREDENTIALS"]:
        credentials, descriptors = descriptors, credentials
    assert credentials["cmsg_data"] == {"pid": "A", "uid": os.getuid(), "gid": os.getgid()}
    assert descriptors == {"cmsg_level": 1, "cmsg_type": 1, "cmsg_data": (r + 2, r + 3)}
    own = {"pid": "A", "uid": os.getuid(), "gid": os.getgid()}
    assert do("sendmsg", a, {"msg_iov": (b"c",), "msg_control": ((1, 2, own),)}).value == 1
    assert do("recvmsg", b, {"msg_iov": (1,), "msg_controllen": 4}).out["msg_flags"] == C["MSG_CTRUNC"]
    messages = ({"msg_iov": (b"one",)}, {"msg_iov": (b"t", b"wo")})
    assert do("sendmmsg", a, messages) == Result(2, None, {"msg_len": (3, 3)})
    into = ({"msg_iov": (2,)}, {"msg_iov": (2, 2)}, {"msg_iov": (2,)})
    got = do("recvmmsg", b, into, C["MSG_DONTWAIT"])
    assert got.value == 2
    assert [(m["msg_len"], m["buf"], m["msg_flags"] & 0x20) for m in got.out["msgvec"]] == [
        (2, b"on", 0x20),
        (3, b"two", 0),
    ]
    assert do("sendmsg", a, BAD) == Result(-1, "EFAULT")


def test_udp_and_tcp_addresses(do: One) -> None:
    for family, host in ((C["AF_INET"], "127.0.0.1"), (C["AF_INET6"], "::1")):
        short = "sin" if family == C["AF_INET"] else "sin6"
        one = do.ok("socket", family, 2).value
        bound = do("bind", one, {"sa_family": family, f"{short}_addr": host})
        if bound.errno == "EADDRNOTAVAIL":
            continue
        addr = do("getsockname", one).out["addr"]
        assert addr[f"{short}_addr"] == host and addr[f"{short}_port"] > 0
        two = do.ok("socket", family, 2).value
        assert do("sendto", two, b"datagram", 0, addr).value == 8
        got = do("recvfrom", one, 100, C["MSG_DONTWAIT"])
        assert got.out["buf"] == b"datagram" and got.out["addr"][f"{short}_addr"] == host
        assert do("sendto", one, b"back", 0, got.out["addr"]).value == 4
        assert do("recv", two, 2, C["MSG_TRUNC"]) == Result(4, None, {"buf": b"ba"})
    stream = do.ok("socket", C["AF_INET"], 1).value
    assert do("getpeername", stream) == Result(-1, "ENOTCONN")
    congestion = do("getsockopt", stream, C["SOL_TCP"], C["TCP_CONGESTION"]).out["optval"]
    assert congestion.rstrip(b"\0").isalpha()


def test_processes_limits_and_signals(do: One) -> None:
    assert do("getpid").out == {"actor": "A"}
    old = do("prlimit64", 0, C["RLIMIT_NOFILE"], {"rlim_cur": 5, "rlim_max": 10}).out["old_limit"]
    assert old["rlim_cur"] > 10
    assert do("getrlimit", C["RLIMIT_NOFILE"]).out == {"rlim": {"rlim_cur": 5, "rlim_max": 10}}
    do.ok("fork", "B")
    events = do.outcome("kill", "B", C["SIGUSR1"]).events
    assert Completed("A", Result(0)) in events
    assert [event.sender for event in events if isinstance(event, Signalled)] == ["A"]
    assert do("rt_sigprocmask", C["SIG_BLOCK"], 1 << 9).out == {"oldset": 0}
    assert do("rt_sigprocmask", C["SIG_BLOCK"], None).out == {"oldset": 1 << 9}
    zero = {"tv_sec": 0, "tv_usec": 0}
    assert do("setitimer", 0, {"it_interval": zero, "it_value": zero}).out["old_value"]["it_value"] == zero
    do.ok("pipe")
    assert do("fcntl", 0, C["F_SETOWN"], "B").value == 0
    assert do("fcntl", 0, C["F_GETOWN"]).out == {"actor": "B"}
    assert do("fcntl", 0, C["F_GETOWN_EX"]).out == {"arg": {"type": C["F_OWNER_PID"], "pid": "B"}}
    assert do("fcntl", 0, C["F_SETOWN_EX"], {"type": C["F_OWNER_TID"], "pid": "A"}).value == 0
    assert do("fcntl", 0, C["F_GETOWN_EX"]).out == {"arg": {"type": C["F_OWNER_TID"], "pid": "A"}}
    assert do("ioctl", 0, C["FIONBIO"], 1).value == 0
    assert do("fcntl", 0, C["F_GETFL"]).value == C["O_NONBLOCK"]
    assert do("nanosleep", {"tv_sec": 0, "tv_nsec": 1}).value == 0
    assert do("close_range", 0, 1).value == 0
    assert do("read", 0, 1) == Result(-1, "EBADF")


def test_a_call_by_hand_needs_no_builder(do: One) -> None:
    assert do.actors.perform("A", Call("pipe2", (C["O_CLOEXEC"],))).outcome.events == (
        Completed("A", Result(0, None, {"pipefd": (0, 1)})),
    )
