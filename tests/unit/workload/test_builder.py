"""Scripts built in Python, and calls turned back into steps."""

from __future__ import annotations

from typing import Any

import pytest

from ktrace.agent.syscalls import CONSTANTS, make_call
from ktrace.state.call import BAD, NULL, Call, Completed, Exited, Outcome, Result, Signalled
from ktrace.uapi.socket import SO_ERROR, SOL_SOCKET
from ktrace.workload import Builder, Environment, ScriptError, format_script, parse_script
from ktrace.workload.script import Name


def test_a_builder_makes_what_the_parser_makes() -> None:
    builder = Builder("a title", "a-name")
    builder.do("A", "pipe2", ["r", "w"], 0, expect="0 [0, 1]")
    builder.comment("the child")
    builder.do("A", "fork", bind="B")
    builder.do("A", "write", Name("w"), b"x" * 100, expect="100", times=2)
    builder.do("B", "accept", "r", bind="c", outs={"addr": "from"}, expect="ENOTSOCK")
    builder.do(None, "spawn", "C", uid=5)
    script = builder.script()
    assert script == parse_script(
        "## a-name: a title\nA: pipe2([r, w], 0)  # 0 [0, 1]\n## the child\nA: fork() -> B\n"
        'A: write(w, "x" * 100) * 2  # 100\nB: accept(r) -> c, addr=from  # ENOTSOCK\nspawn C uid=5\n'
    )
    with pytest.raises(ScriptError, match="unknown name 'gone'"):
        unknown = Builder("t")
        unknown.do("A", "close", Name("gone"))
        unknown.script()


C = CONSTANTS
CALLS: list[tuple[str | None, Call]] = [
    ("A", make_call("pipe2", 0)),
    ("A", make_call("pipe2", BAD, 0)),
    ("A", make_call("read", 0, 10)),
    ("A", make_call("read", 0, NULL, 10)),
    ("A", make_call("write", 1, b"ab" * 500)),
    ("A", make_call("write", 1, b'\0\xff"\\', count=2)),
    ("A", make_call("write", 1, BAD, 5)),
    ("A", make_call("msgsnd", 0, (1, b"x"))),
    ("A", make_call("msgsnd", 0, (1, b"x"), C["IPC_NOWAIT"])),
    ("A", make_call("msgsnd", 0, (1, b"x"), 0, C["IPC_NOWAIT"])),
    ("A", make_call("msgrcv", 0, 10, -2, C["MSG_NOERROR"])),
    ("A", make_call("poll", [(0, 1)], -1)),
    ("A", make_call("poll", [(0, 1)], 5, 0)),
    ("A", make_call("semtimedop", 0, [(0, -1, 0)], None)),
    ("A", make_call("semtimedop", 0, [(0, -1, 0)], 3, (1, 2))),
    ("A", make_call("semctl", 0, 0, C["SETALL"], (1, 2))),
    ("A", make_call("semctl", 0, 0, C["IPC_SET"], {"uid": 1})),
    ("A", make_call("semctl", 0, 0, C["GETALL"], BAD)),
    ("A", make_call("splice", 0, None, 1, 5, 100)),
    ("A", make_call("vmsplice", 1, [(0x1000, 5)], 8)),
    ("A", make_call("mmap", 0, 4096, 3, 0x22)),
    ("A", make_call("connect", 0, {"sa_family": 1, "sun_path": b"\0abs"})),
    ("A", make_call("connect", 0, {"sa_family": 1, "sun_path": b"/x"}, addrlen=2)),
    ("A", make_call("bind", 0, {"sa_family": 2, "sin_port": 80, "sin_addr": "10.0.0.1"})),
    ("A", make_call("bind", 0, {"sa_family": 10, "sin6_addr": "::1", "sin6_scope_id": 3})),
    ("A", make_call("bind", 0, {"sa_family": 16, "nl_pid": 5})),
    ("A", make_call("bind", 0, {"sa_family": 77, "sa_data": b"ab"})),
    ("A", make_call("sendto", 0, b"x", 0, {"sa_family": 2, "sin_port": 1}, len=0)),
    ("A", make_call("recv", 0, 5)),
    ("A", make_call("accept4", 0, C["SOCK_CLOEXEC"])),
    ("A", make_call("accept4", 0, NULL, NULL, 0)),
    ("A", make_call("sendmsg", 0, {"msg_iov": (b"a", b"b"), "msg_control": ((1, 1, (3,)), (1, 2, (1, 2, 3)))})),
    ("A", make_call("recvmsg", 0, {"msg_iov": (1, 2), "msg_controllen": 9})),
    ("A", make_call("getsockopt", 0, SOL_SOCKET, SO_ERROR)),
    ("A", make_call("getsockopt", 0, SOL_SOCKET, SO_ERROR, optlen=1)),
    ("A", make_call("setsockopt", 0, SOL_SOCKET, C["SO_LINGER"], (1, 2))),
    ("A", make_call("select", 5, (1, 2), None, None, (0, 5))),
    ("A", make_call("readv", 0, (1, 2))),
    ("A", make_call("kill", "A", 10)),
    ("A", make_call("fcntl", 0, C["F_SETOWN_EX"], {"type": 1, "pid": "A"})),
    ("A", make_call("fork", "B", C["CLONE_FILES"])),
    ("A", make_call("sigaction", 13, "DFL")),
    ("A", make_call("store", 0x1000, b"abc")),
    ("A", make_call("load", 0x1000, 3)),
    ("A", make_call("exec")),
    ("A", make_call("exit", 3)),
    (None, make_call("kill", "B", 9)),
    (None, make_call("spawn", "D", {"uid": 5, "groups": (1,)})),
    (None, make_call("sysctl", "kernel/sem", "1 2")),
]


def test_calls_survive_as_script_text() -> None:
    builder = Builder("calls")
    for actor, call in CALLS:
        builder.call(actor, call)
    script = parse_script(format_script(builder.script()))
    environment = Environment()
    environment.actors = {"A", "B"}
    resolved = [(step.actor, environment.resolve(step)) for step in script.steps]  # type: ignore[arg-type]
    for (actor, call), again in zip(CALLS, resolved, strict=True):
        assert again == (actor, call)


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (Outcome((Completed("A", Result(5, None, {"buf": b"x"})),)), "5"),
        (Outcome((Completed("A", Result(-1, "EAGAIN")),)), "EAGAIN"),
        (Outcome((Signalled("A", "SIGPIPE"), Completed("A", Result(-1, "EPIPE")))), "SIGPIPE; EPIPE"),
        (Outcome((), frozenset({"A"})), "blocked"),
        (Outcome((Exited("B", 0), Completed("A", Result(0)))), "B: exited 0; 0"),
        (Outcome((Exited("A", None, "SIGKILL"),)), "killed SIGKILL"),
    ],
)
def test_outcomes_become_annotations(outcome: Outcome, text: Any) -> None:
    builder = Builder("t")
    builder.do("A", "getpid", expect=outcome)
    assert format_script(builder.script()).split("# ")[-1].strip() == text
