"""Scripts read: what they mean, and where they are wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktrace.workload import Repeat, ScriptError, Step, format_script, parse_script
from ktrace.workload.reader import Reader
from ktrace.workload.script import (
    Abstract,
    Array,
    Binary,
    Braces,
    Expectation,
    Form,
    Index,
    Member,
    Name,
    Number,
    String,
    Unary,
)


def one(line: str, before: str = "") -> Step:
    """Return the step in the last line of a script."""
    step = parse_script(f"## t\n{before}{line}\n").steps[-1]
    assert isinstance(step, Step)
    return step


def test_title_and_comments() -> None:
    script = parse_script("## pipe-x: what it shows: a pipe\n## above\n## more\nA: getpid()  ## behind\n\n## end\n")
    assert (script.name, script.title, script.comments) == ("pipe-x", "what it shows: a pipe", ("end",))
    (step,) = script.steps
    assert isinstance(step, Step)
    assert (step.comments, step.remark) == (("above", "more"), "behind")
    assert parse_script("## No name: here\nA: getpid()").name == ""
    assert parse_script("A: getpid()").title == ""


def test_what_is_to_be_shown() -> None:
    script = parse_script('## with-all: it\nwith functions\nwith probe "write: pipe_write task->comm"\nA: getpid()')
    assert (script.functions, script.probes) == (True, ("write: pipe_write task->comm",))
    plain = parse_script("## a: b\nA: getpid()")
    assert (plain.functions, plain.probes) == (False, ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A: getpid()\nwith functions", "1: 'with' stands behind a step"),
        ("with colours", "6: cannot run with 'colours'"),
        ("with probe tcp_push", "12: "),
        ('with probe "\\q"', "12: unknown escape '\\\\q'"),
    ],
)
def test_what_cannot_be_shown(text: str, said: str) -> None:
    with pytest.raises(ScriptError) as caught:
        parse_script("## a: b\n" + text)
    assert said in str(caught.value)


def test_step_binds_and_annotation() -> None:
    step = one('A: pipe2([r, w], O_NONBLOCK) -> v, pipefd=both * 3  # 0 [3, _]; B: 1 "x"...; C: blocked')
    assert (step.actor, step.name, step.line) == ("A", "pipe2", 2)
    assert step.args == (Array((Name("r"), Name("w"))), Name("O_NONBLOCK"))
    assert (step.value, step.outs, step.times) == ("v", (("pipefd", "both"),), 3)
    assert step.expectations == (
        Expectation("returns", None, value=Number(0), outs=((None, Array((Number(3), Name("_")))),)),
        Expectation("returns", "B", value=Number(1), outs=((None, String(b"x", True)),)),
        Expectation("blocked", "C"),
    )


@pytest.mark.parametrize(
    ("text", "expectation"),
    [
        ("EAGAIN", Expectation("fails", None, "EAGAIN")),
        ("exited 3", Expectation("exited", None, value=Number(3))),
        ("killed SIGKILL", Expectation("killed", None, "SIGKILL")),
        ("SIGPIPE", Expectation("handles", None, "SIGPIPE")),
        ("killed SIGRTMIN+1", Expectation("killed", None, "SIGRTMIN+1")),
        ("killed SIGRTMAX - 0x1d", Expectation("killed", None, "SIGRTMIN+1")),
        ("SIG34", Expectation("handles", None, "SIGRTMIN")),
        ("SIGRTMAX-1 code=0", Expectation("handles", None, "SIGRTMAX-1", outs=(("code", Number(0)),))),
        ("SIGIO code=1 fd=3", Expectation("handles", None, "SIGIO", outs=(("code", Number(1)), ("fd", Number(3))))),
        ("SIGIO sender=A", Expectation("handles", None, "SIGIO", outs=(("sender", Name("A")),))),
        ('= "abc"', Expectation("returns", outs=((None, String(b"abc")),))),
        ('"abc"', Expectation("returns", outs=((None, String(b"abc")),))),
        ("_", Expectation("returns", value=Name("_"))),
        (
            "5 * 2 buf={a=1}",
            Expectation(
                "returns",
                value=Binary("*", Number(5), Number(2)),
                outs=(("buf", Braces((("a", Number(1)),))),),
            ),
        ),
        ("5 (-1)", Expectation("returns", value=Number(5), outs=((None, Unary("-", Number(1))),))),
        (
            '0 inet("1.2.3.4", 5) 16',
            Expectation(
                "returns",
                value=Number(0),
                outs=((None, Form("inet", (String(b"1.2.3.4"), Number(5)))), (None, Number(16))),
            ),
        ),
        ("_ [1]", Expectation("returns", value=Name("_"), outs=((None, Array((Number(1),))),))),
    ],
)  # fmt: skip
def test_annotations(text: str, expectation: Expectation) -> None:
    assert one(f"A: getpid()  # {text}").expectations == (expectation,)


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("0x1F", Number(31, 16)),
        ("0600", Number(384, 8)),
        ("0", Number(0)),
        ("-1", Unary("-", Number(1))),
        ("~(1|2)", Unary("~", Binary("|", Number(1), Number(2)))),
        ("1|2+3*4", Binary("|", Number(1), Binary("+", Number(2), Binary("*", Number(3), Number(4))))),
        ("8-2-1", Binary("-", Binary("-", Number(8), Number(2)), Number(1))),
        ("1 << 2 & 3", Binary("&", Binary("<<", Number(1), Number(2)), Number(3))),
        (r'"a\n\t\x00\101\\\"é"', String(b'a\n\t\x00A\\"\xc3\xa9')),
        ("{1, -2, SEM_UNDO}", Braces(((None, Number(1)), (None, Unary("-", Number(2))), (None, Name("SEM_UNDO"))))),
        ("{a=1, b={2,}}", Braces((("a", Number(1)), ("b", Braces(((None, Number(2)),)))))),
        ("[1, 2,]", Array((Number(1), Number(2)))),
        ('unix(@"x")', Form("unix", (Abstract(b"x"),))),
        ("unix()", Form("unix", ())),
        ("v[0].m", Member(Index(Name("v"), 0), "m")),
    ],
)
def test_expressions(text: str, expression: object) -> None:
    assert Reader(text, "").expression() == expression


def test_repeat_and_spawn() -> None:
    script = parse_script(
        "## t\nspawn C uid=5 groups=[1, 2]\nrepeat 2 as i {\n    ## inner\n    C: close(i) * 2\n"
        "    repeat 3 {\n        C: getpid()\n    }\n    ## last\n}\n"
    )
    spawn, repeat = script.steps
    assert isinstance(spawn, Step) and isinstance(repeat, Repeat)
    assert (spawn.actor, spawn.args) == (None, (Name("C"),))
    assert spawn.keywords == (("uid", Number(5)), ("groups", Array((Number(1), Number(2)))))
    assert (repeat.count, repeat.counter, repeat.closing) == (2, "i", ("last",))
    names = [(step.name, step.given) for step in script.expanded()]
    zero, first = (("i", 0),), (("i", 1),)
    assert names == [
        ("spawn", ()),
        *[("close", zero)] * 2,
        *[("getpid", zero)] * 3,
        *[("close", first)] * 2,
        *[("getpid", first)] * 3,
    ]


def test_actors_that_are_there_from_the_start() -> None:
    script = parse_script("## t\nA: fork() -> B\nB: fork() -> C\nD: getpid()\nspawn E\nE: getpid() # 1; F: blocked\n")
    assert script.initial == ("A", "D", "F")
    assert [step.args for step in script.expanded()][:3] == [(Name("A"),), (Name("D"),), (Name("F"),)]


def test_a_call_over_several_lines() -> None:
    step = one('A: sendmsg(3, {msg_iov=["a",\n    "b"],\n    msg_control=[]},\n  0)  # 2')
    assert len(step.args) == 3 and step.line == 2 and len(step.expectations) == 1


@pytest.mark.parametrize(
    ("line", "column", "width", "text", "hint"),
    [
        ("A: raed(1)", 4, 4, "unknown call 'raed'", "read"),
        ("A: read(q, 1)", 9, 1, "unknown name 'q'", "bind it"),
        ("A: read(0, O_NONBLOK)", 12, 9, "unknown name 'O_NONBLOK'", "O_NONBLOCK"),
        ("A: read(0, 1)  # EAGAN", 18, 5, "unknown annotation 'EAGAN'", "EAGAIN"),
        ("A: read(0, 1)  # creates B", 18, 7, "unknown annotation 'creates'", "##"),
        ("A: read(0, 1)  # blocked now", 26, 3, "expected the end of the line, not 'now'", None),
        ("A: read(0, 1)  #", 17, 1, "expected a value, an error, blocked", None),
        ("A: read(0, 1)  # killed SIGFOO", 25, 6, "unknown signal 'SIGFOO'", None),
        ("A: read(0, 1)  # killed SIGRTMIN+31", 25, 8, "unknown signal 'SIGRTMIN+31'", None),
        ("A: read(0, 1)  # SIGRTMAX-", 27, 1, "a number", None),
        ("A: read(0, 1)  # SIGIO size=1", 24, 4, "a signal has no 'size'", "code"),
        ("A: read(0, 1)  # 1; 2 3; B: nothing", 29, 7, "unknown annotation 'nothing'", None),
        ("A: read(0", 10, 1, "expected ',' or ')', not the end of the line", None),
        ("A: read(0, 1))", 14, 1, "expected the end of the line, not ')'", None),
        ("A: read(0, 1, 2, 3)", 15, 1, "read takes 2 arguments, not 4", "read(fd, count)"),
        ("A: read(0)", 4, 4, "read needs 'count'", "read(fd, count)"),
        ("A: read(0, cont=1)", 17, 1, "no parameter 'cont'", "count"),
        ("A: read(count=1, 0)", 18, 1, "follows one with a name", None),
        ('A: write(1, "abc)', 13, 5, "does not end on its line", "close it"),
        (r'A: write(1, "a\qb")', 15, 2, "unknown escape", None),
        ('A: write(1, "a"...)', 13, 3, "belongs to annotations", None),
        ("A: close(0x)", 10, 2, "unexpected '0x'", None),
        ("A: close(1x)", 10, 2, "unexpected '1x'", None),
        ("A: close($)", 10, 1, "unexpected '$'", None),
        ("A: close(99999999999999999999)", 10, 20, "does not fit into 64 bits", None),
        ("A: close(1 2)", 12, 1, "expected ',' or ')', not '2'", None),
        ("A: close([1, 2)", 15, 1, "expected ',' or ']', not ')'", None),
        ("A: close({a=1, 2})", 16, 1, "cannot be mixed", None),
        ("A: close({a=1, a=2})", 16, 1, "given twice", None),
        ("A: bind(0, inet(1))", 12, 4, "inet takes 2 arguments, not 1", None),
        ("A: bind(0, foo(1))", 12, 3, "unknown address 'foo'", "unix, inet"),
        ("A: pipe2([r, 3], 0)", 14, 1, "only names", "[r, w]"),
        ("A: pipe2([r, A], 0)", 4, 5, "'A' is an actor", None),
        ("A: getpid() -> EAGAIN", 4, 6, "cannot be given another meaning", None),
        ("A: getpid() -> a, b", 19, 1, "only the first name", "out=name"),
        ("A: fork()", 4, 4, "fork needs a name", "-> B"),
        ("A: spawn(B)", 4, 5, "not done by an actor", None),
        ("a: getpid()", 4, 6, "no name for an actor", "capital"),
        ("read(0, 1)", 1, 4, "expected a step, not 'read'", "A: read"),
        ("42", 1, 2, "expected a step such as", None),
        ("repeat 0 {", 8, 1, "cannot repeat 0 times", None),
        ("repeat 2 {\nA: getpid()", 1, 6, "not closed", "}"),
        ("repeat 2 { A: getpid()", 12, 1, "expected the end of the line", None),
        ("A: getpid() * x", 15, 1, "expected a number", None),
        ('sysctl("a", "b")  # killed SIGKILL', 21, 6, "whose?", "B: killed"),
    ],
)
def test_errors_say_where(line: str, column: int, width: int, text: str, hint: str | None) -> None:
    with pytest.raises(ScriptError) as raised:
        parse_script(f"## title\n\n{line}", "x.kt")
    error = raised.value
    assert text in error.text
    assert (error.place.line, error.place.column, error.place.width) == (3, column, width)
    first = line.split("\n")[0]
    assert error.message.split("\n")[1:] == [f"    {first}", f"    {' ' * (column - 1)}{'^' * max(1, width)}"]
    assert error.message.startswith(f"x.kt:3:{column}: ")
    if hint is not None:
        assert hint in (error.hint or "")


@pytest.mark.parametrize("deep", ["(" * 5000, "-" * 5000, "[" * 5000, "{a=" * 5000, "1+" * 5000, "v" + "[0]" * 5000])
def test_depth_has_an_end(deep: str) -> None:
    with pytest.raises(ScriptError, match="too deep") as raised:
        parse_script(f"## t\nA: getpid() -> v\nA: close({deep}1)")
    assert len(raised.value.message) < 500


@pytest.mark.parametrize("line", ["A: close({})", "A: close(a[{}])", "A: getpid() * {}", "A: getpid() # {}"])
def test_a_number_of_any_length_is_a_mistake(line: str) -> None:
    with pytest.raises(ScriptError) as raised:
        parse_script(f"## t\n{line.format('9' * 5000)}")
    assert raised.value.place.line == 2


def test_repeats_in_repeats_have_an_end() -> None:
    with pytest.raises(ScriptError, match="too many steps") as raised:
        parse_script("## t\nrepeat 100000 {\nrepeat 10 {\nrepeat 2 {\nA: getpid()\n}\n}\n}\n")
    assert (raised.value.place.line, raised.value.place.column) == (2, 1)
    parse_script("## t\nrepeat 100000 {\nrepeat 10 {\nA: getpid()\n}\n}\n")


def test_blocks_in_blocks_have_an_end() -> None:
    with pytest.raises(ScriptError, match="inside each other"):
        parse_script("## t\n" + "repeat 1 {\n" * 5000 + "A: getpid()\n" + "}\n" * 5000)
    parse_script("## t\n" + "repeat 1 {\n" * 50 + "A: getpid()\n" + "}\n" * 50)


SIGNS = "A : ( ) [ ] { } r , -> # ## = 1 0x * - ... @ ; é"
WORDS = "pipe2 blocked EAGAIN repeat spawn kill sysctl fork unix"
FRAGMENTS = [*SIGNS.split(), *WORDS.split(), '"', "\\", "\n", " "]


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join))
def test_any_text_is_a_script_or_an_error_with_a_place(text: str) -> None:
    try:
        script = parse_script(text)
    except ScriptError as error:
        assert error.place.line >= 1 and error.place.column >= 1
    else:
        assert parse_script(format_script(script)) == script


def test_an_empty_script_is_none() -> None:
    with pytest.raises(ScriptError, match="the script is empty"):
        parse_script("\n\n")
    with pytest.raises(ScriptError, match="1:1: the script has no step"):
        parse_script("## only a title")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('A: pipe2([r, w], "0")', "s.kt:2:18: pipe2: flags is a number, not b'0'"),
        ('A: pipe2("0")', "s.kt:2:10: pipe2: flags is a number, not b'0'"),
        ("A: write(1, [1, 2], 1)", "s.kt:2:13: write: buf is"),
        ('A: write(1, "x" * 100000000, 1)', "s.kt:2:17: the string is too long"),
        ("A: close(1 << 99)", "s.kt:2:12: cannot shift by 99"),
        ("A: close(unix())", "s.kt:2:10: close: fd is a descriptor, not {"),
        ('A: mkfifo("/x", "0")', "s.kt:2:4: mode is a number, not"),
        ('A: semget(IPC_PRIVATE, 1, "x") -> s', "s.kt:2:27: semget: semflg is a number"),
        ('A: fork("x") -> B', "s.kt:2:9: fork: flags is a number"),
        ("A: write(1, buf=5)", "s.kt:2:17: write: buf is a buffer, not 5"),
        (
            "A: fcntl(0, F_SETLK, {l_type=F_WRLCK, l_len=1})",
            "s.kt:2:22: fcntl: record locks",
        ),
        ("A: fcntl(0, F_OFD_SETLK, {F_WRLCK, SEEK_SET, 0, 0})", "s.kt:2:26: fcntl: record locks"),
        ("A: fcntl(0, F_SETLK, {F_WRLCK})", "s.kt:2:22: fcntl: record locks"),
        ("A: fcntl(0, F_SETLKW, {F_WRLCK, SEEK_SET})", "s.kt:2:23: fcntl: record locks"),
        ("A: fcntl(0, F_GETLK, {F_WRLCK, SEEK_SET, 0})", "s.kt:2:22: fcntl: record locks"),
        ("A: fcntl(0, F_SETOWN_EX, {F_OWNER_TID, 1, 0})", "s.kt:2:26: fcntl: struct f_owner_ex has 2 members, not 3"),
        (
            "A: fcntl(0, F_SETOWN_EX, {type=F_OWNER_TID, pd=1})",
            "s.kt:2:26: fcntl: struct f_owner_ex has no member",
        ),
    ],
)
def test_values_of_the_wrong_kind_are_found_before_the_run(line: str, message: str) -> None:
    with pytest.raises(ScriptError) as caught:
        parse_script(f"## t\n{line}\n", "s.kt")
    assert caught.value.message.startswith(message)
    assert f"\n    {line}\n" in caught.value.message
    assert caught.value.message.endswith("^")
