"""Names at run time: bound by results, used in later calls; and annotations held against outcomes."""

from __future__ import annotations

from typing import Any

import pytest

from ktrace.state.call import BAD, NULL, Call, Completed, Event, Exited, Outcome, Pointer, Result, Signalled
from ktrace.workload import Environment, ScriptError, Step, check_annotation, parse_script


def steps(text: str) -> list[Step]:
    """Return the steps of a script, without those that bring up its actors."""
    return [step for step in parse_script(f"## t\n{text}").expanded() if step.place.line]


def outcome(*events: Event, blocked: str = "") -> Outcome:
    return Outcome(events, frozenset(blocked.split()))


def done(value: int, actor: str = "A", **out: Any) -> Completed:
    return Completed(actor, Result(value, None, out))


def test_results_bind_names_and_calls_use_them() -> None:
    pipe, write, nothing = steps('A: pipe2([r, w], 0)\nA: write(w, "ab" * 2) -> n\nA: pipe2(_, r + n)\n')
    environment = Environment()
    assert environment.resolve(pipe) == Call("pipe2", (0,))
    environment.observe(pipe, outcome(done(0, pipefd=(3, 4))))
    assert environment.resolve(write) == Call("write", (4, b"abab", 4))
    environment.observe(write, outcome(done(4)))
    assert environment.values == {"r": 3, "w": 4, "n": 4}
    assert environment.resolve(nothing) == Call("pipe2", (7,))


def test_a_blocked_call_binds_when_it_completes() -> None:
    accept, connect = steps("A: accept(0) -> c, addr=from\nB: connect(0, unix())\n")
    environment = Environment()
    environment.observe(accept, outcome(blocked="A"))
    assert environment.values == {}
    environment.observe(connect, outcome(done(0, "B"), done(5, addr={"sa_family": 1}, addrlen=2)))
    assert environment.values == {"c": 5, "from": {"sa_family": 1}}
    assert environment.pending == {}


def test_a_failed_call_binds_nothing() -> None:
    dup, close = steps("A: dup(0) -> d\nA: close(d)\n")
    environment = Environment()
    environment.observe(dup, outcome(Completed("A", Result(-1, "EBADF"))))
    with pytest.raises(ScriptError, match="script:3:10: 'd' is not bound"):
        environment.resolve(close)


def test_members_and_elements_of_values() -> None:
    name, connect, bad, far = steps(
        'A: getsockname(0) -> addr=a\nA: connect(1, inet("127.0.0.1", a.sin_port))\nA: close(a.port)\nA: close(a[1])\n'
    )
    environment = Environment()
    environment.observe(
        name, outcome(done(0, addr={"sa_family": 2, "sin_port": 40000, "sin_addr": "0.0.0.0"}, addrlen=16))
    )
    assert environment.resolve(connect).args[1] == {"sa_family": 2, "sin_port": 40000, "sin_addr": "127.0.0.1"}
    with pytest.raises(ScriptError, match="no member 'port'"):
        environment.resolve(bad)
    with pytest.raises(ScriptError, match="no element 1"):
        environment.resolve(far)


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("A: read(0, BAD, 10)", Call("read", (0, 10), {"buf": BAD})),
        ("A: read(0, buf=NULL, count=10)", Call("read", (0, 10), {"buf": NULL})),
        ("A: read(0, 0x5000, 10)", Call("read", (0, 10), {"buf": Pointer(0x5000)})),
        ("A: read(0, _, 10)", Call("read", (0, 10))),
        ("A: close(~0 & 0xff)", Call("close", (255,))),
        ("A: close(1 << 4)", Call("close", (16,))),
        ('A: write(0, "a" + "b" * 2)', Call("write", (0, b"abb", 3))),
        ("A: kill(A, SIGUSR1)", Call("kill", ("A", 10))),
        ("A: getpid()\nkill(A, SIGKILL)", Call("kill", ("A", 9))),
        ("A: fork(CLONE_FILES) -> B", Call("fork", ("B", 0x400))),
        ("spawn B uid=1 groups=[2]", Call("spawn", ("B", {"uid": 1, "groups": (2,)}))),
        ("A: sigaction(SIGPIPE, RECORD_RESTART)", Call("sigaction", (13, "RECORD_RESTART"))),
        ('sysctl("kernel/sem", "1")', Call("sysctl", ("kernel/sem", "1"))),
        ("A: semop(1, [{0, 1, 0}] * 2)", Call("semop", (1, ({"sem_num": 0, "sem_op": 1, "sem_flg": 0},) * 2, 2))),
        ("A: recv(0, 5)", Call("recvfrom", (0, 5, 0, NULL), {"addr": NULL})),
    ],
)  # fmt: skip
def test_calls(line: str, call: Call) -> None:
    assert Environment().resolve(steps(line)[-1]) == call


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("A: write(0, 5)", "script:2:13: write: buf is a buffer, not 5"),
        ("A: close(\"x\" * 2)", "close: fd is a descriptor"),
        ("A: close(\"x\" | 2)", "cannot do '|'"),
        ("A: close(1 << 64)", "cannot shift by 64"),
        ("A: close(-\"x\")", "a number is expected, not b'x'"),
        ("A: write(0, \"x\" * 99999999)", "the string is too long"),
        ("A: semop(0, [{1, 2, 3, 4}])", "struct sembuf has 3 members"),
        ("A: connect(0, inet(\"nowhere\", 1))", "'nowhere' is no IP address"),
        ("A: connect(0, {sa_family=AF_INET, port=1})", "has no member 'port'"),
    ],
)  # fmt: skip
def test_values_of_the_wrong_kind(line: str, message: str) -> None:
    with pytest.raises(ScriptError) as raised:
        Environment().resolve(steps(line)[-1])
    assert message in raised.value.message


@pytest.mark.parametrize(
    ("annotation", "events", "blocked"),
    [
        ("5", [done(5)], ""),
        ("_", [done(5)], ""),
        ("2 + 3", [done(5)], ""),
        ('5 "hello"', [done(5, buf=b"hello")], ""),
        ('5 "he"...', [done(5, buf=b"hello")], ""),
        ('= "hello"', [done(0, buf=b"hello")], ""),
        ("0 [3, _]", [done(0, pipefd=(3, 4))], ""),
        ("0 array=[1]", [done(0, array=(1,))], ""),
        ("0 {b={c=2}}", [done(0, buf={"a": 1, "b": {"c": 2, "d": 3}})], ""),
        ("0 {1, {2}}", [done(0, buf={"a": 1, "b": {"c": 2, "d": 3}})], ""),
        ("0 unix() 2", [done(0, addr={"sa_family": 1, "sun_path": b""}, addrlen=2)], ""),
        ("0 NULL 0", [done(0, addr=None, addrlen=0)], ""),
        ("EAGAIN", [Completed("A", Result(-1, "EAGAIN"))], ""),
        ("SIGPIPE; EPIPE", [Signalled("A", "SIGPIPE"), Completed("A", Result(-1, "EPIPE"))], ""),
        ("SIGIO code=1 fd=3 sender=_", [Signalled("A", "SIGIO", 1, None, 3)], ""),
        ("SIGIO sender=B", [Signalled("A", "SIGIO", 0, "B")], ""),
        ("blocked", [], "A"),
        ("exited 3", [Exited("A", 3)], ""),
        ("killed SIGTERM", [Exited("A", None, "SIGTERM")], ""),
        ("1; B: 1", [done(1), done(1, "B")], ""),
        ("B: blocked", [done(1)], "B"),
    ],
)
def test_annotations_that_hold(annotation: str, events: list[Event], blocked: str) -> None:
    (step,) = steps(f"A: getpid()  # {annotation}")
    assert check_annotation(step, outcome(*events, blocked=blocked), Environment()) == ()


@pytest.mark.parametrize(
    ("annotation", "events", "blocked", "complaint"),
    [
        ("5", [done(4)], "", "expected 5, got 4"),
        ("5", [], "A", "expected 5, got blocked"),
        ("5", [Completed("A", Result(-1, "EAGAIN"))], "", "expected 5, got EAGAIN"),
        ("EAGAIN", [done(5)], "", "expected EAGAIN, got 5"),
        ("EAGAIN", [Completed("A", Result(-1, "EPIPE"))], "", "expected EAGAIN, got EPIPE"),
        ('5 "help"', [done(5, buf=b"hello")], "", 'expected 5 "help", got 5 buf="hello"'),
        ('5 "help"...', [done(5, buf=b"hello")], "", 'expected 5 "help"..., got 5 buf="hello"'),
        ("5 _", [done(5)], "", "expected 5 _, got 5"),
        ("0 size=_", [done(0, buf=b"")], "", 'expected 0 size=_, got 0 buf=""'),
        ("0 [3]", [done(0, pipefd=(3, 4))], "", "expected 0 [3], got 0 pipefd=[3, 4]"),
        ("0 {x=1}", [done(0, buf={"x": 2})], "", "expected 0 {x=1}, got 0 buf={x=2}"),
        ("blocked", [done(5)], "", "expected blocked, got 5"),
        ("exited 0", [Exited("A", 1)], "", "expected exited 0, got exited 1"),
        ("exited 0", [Exited("A", None, "SIGKILL")], "", "expected exited 0, got killed SIGKILL"),
        ("killed SIGTERM", [Exited("A", None, "SIGKILL")], "", "expected killed SIGTERM, got killed SIGKILL"),
        ("SIGPIPE", [done(1)], "", "expected SIGPIPE, got 1"),
        ("SIGIO fd=3", [Signalled("A", "SIGIO", 1, None, 4)], "", "expected SIGIO fd=3, got SIGIO code=1"),
        ("SIGIO sender=B", [Signalled("A", "SIGIO", 1, "A", 4)], "", "expected SIGIO sender=B"),
        ("B: 1", [done(1)], "", "expected B: 1, got nothing"),
    ],
)
def test_annotations_that_do_not_hold(annotation: str, events: list[Event], blocked: str, complaint: str) -> None:
    (step,) = steps(f"A: getpid()  # {annotation}")
    (mismatch,) = check_annotation(step, outcome(*events, blocked=blocked), Environment())
    assert complaint in str(mismatch)
    assert mismatch.place.line == 2


def test_annotations_use_names() -> None:
    first, second = steps("A: semget(0, 1) -> s  # s\nA: semget(0, 1)  # s + 1")
    environment = Environment()
    environment.observe(first, outcome(done(7)))
    assert check_annotation(first, outcome(done(7)), environment) == ()
    assert check_annotation(second, outcome(done(8)), environment) == ()
    assert check_annotation(second, outcome(done(9)), environment) != ()
