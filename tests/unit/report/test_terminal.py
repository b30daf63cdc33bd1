"""What a person sees, word for word."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from ktrace.report.terminal import TerminalView, divergence_lines, elide
from ktrace.state.call import Call, Completed, Exited, Outcome, Result, Signalled
from ktrace.state.compare import Difference
from ktrace.state.fs.file import Descriptor, DescriptorTable
from ktrace.state.ref import Ref
from ktrace.state.rule import Choice, Rule
from ktrace.state.step import Step
from ktrace.state.world import World
from ktrace.trace.session import Choices, End, Header, Verdict
from ktrace.trace.value import quoted, run_lengths, short

TABLE = Ref("fdtable", "fdtable1")
BEFORE = World({TABLE: DescriptorTable(1, {})})
AFTER = World({TABLE: DescriptorTable(2, {4: Descriptor(Ref("file", "file1"), True)})})


def printed(verbosity: int = 0) -> str:
    """Print a small session and return the text."""
    out = io.StringIO()
    view = TerminalView(Console(file=out, no_color=True, highlight=False, width=80), verbosity)
    view.header(Header("a title", {}, {"image": "lab-6.1", "release": "6.1", "accelerator": "tcg"}, BEFORE))
    view.step(
        Step(
            number=1,
            actor="A",
            call=Call("dup"),
            text="dup(3)",
            answer="4",
            outcome=Outcome((Completed("A", Result(4)),)),
            clock=(0, 0),
            world=AFTER,
            comment="why",
        )
    )
    view.step(
        Step(
            number=2,
            actor="A",
            call=Call("read"),
            text="read(4, 1)",
            answer="blocked",
            outcome=Outcome((), frozenset({"A"})),
            clock=(0, 0),
            world=AFTER,
            sleeps={"A": ("pipe_read", "vfs_read")},
        )
    )
    events = (
        Signalled("B", "SIGPIPE"),
        Completed("B", Result(-1, "EPIPE")),
        Completed("A", Result(1, None, {"buf": b"x"})),
        Exited("C", None, "SIGKILL"),
    )
    view.step(
        Step(
            number=3,
            actor="B",
            call=Call("write"),
            text='write(5, "x", 1)',
            answer="-1 EPIPE",
            outcome=Outcome(events),
            clock=(0, 0),
            world=World({}),
        )
    )
    view.verdict(Verdict(3, (Difference("fdtable1.users", 2, 1),), ("fs/file.c: put_files_struct()",)))
    view.end(End("diverged", 3, 4, 5), "/somewhere")
    return out.getvalue()


def test_a_session_on_the_terminal() -> None:
    assert printed() == (
        "a title   lab-6.1, Linux 6.1, tcg\n"
        "        # why\n"
        "   1 A  dup(3) = 4\n"
        "        fdtable1   users 1→2, fds[4] {file file1 cloexec true}\n"
        "   2 A  read(4, 1) = blocked\n"
        "        A sleeps in pipe_read < vfs_read\n"
        '   3 B  write(5, "x", 1) = -1 EPIPE\n'
        "        B caught SIGPIPE\n"
        '        A woken: its call returned 1 buf "x"\n'
        "        C killed by SIGKILL\n"
        "        fdtable1   gone\n"
        "\n"
        'divergence at step 3: B: write(5, "x", 1) = -1 EPIPE\n'
        "  fdtable1.users  observed 2\n"
        "                  allowed  1\n"
        "  model rule mirrors fs/file.c: put_files_struct()\n"
        "diverged: 3 steps, 4 objects, 5 fields compared\n"
        "session /somewhere\n"
    )


def chosen(verbosity: int) -> str:
    """Print a step in which the kernel chose, and one in which it chose what it may not."""
    out = io.StringIO()
    view = TerminalView(Console(file=out, no_color=True, highlight=False, width=80), verbosity)
    view.header(Header("a title", {}, {}, BEFORE))
    names = Rule("net/unix/af_unix.c", "unix_autobind", "any free name")
    time = Rule("fs/inode.c", "current_time", "to the second")
    for number, allowed in ((1, True), (2, False)):
        outcome = Outcome((Completed("A", Result(0)),))
        step = Step(number=number, actor="A", call=Call("bind"), text="bind(3)", answer="0", outcome=outcome,
                    clock=(0, 0), world=BEFORE)  # fmt: skip
        view.step(step)
        view.choices(Choices(number, (Choice(names, b"x", allowed), Choice(time, 7, True, "inode1.i_mtime"))))
    view.verdict(Verdict(2, (Difference("sock1.unix.addr", b"x", b"y"),)))
    view.end(End("diverged", 2, 4, 5, held=2))
    return out.getvalue()


def test_what_the_kernel_chose_is_told_by_rule() -> None:
    verdict = (
        "\ndivergence at step 2: A: bind(3) = 0\n"
        '  sock1.unix.addr  observed "x"\n'
        '                   allowed  "y"\n'
        '  not allowed: "x"  by unix_autobind(): any free name, net/unix/af_unix.c\n'
        "diverged: 2 steps, 4 objects, 5 fields compared, 2 of them with a rule's leave\n"
    )
    assert chosen(-1) == verdict
    assert chosen(0).endswith("   1 A  bind(3) = 0\n   2 A  bind(3) = 0\n" + verdict)
    assert chosen(1).endswith(
        "   1 A  bind(3) = 0\n"
        '        allowed    "x"  by unix_autobind(): any free name, net/unix/af_unix.c\n'
        "        allowed    inode1.i_mtime  by current_time(): to the second, fs/inode.c\n"
        "   2 A  bind(3) = 0\n"
        "        allowed    inode1.i_mtime  by current_time(): to the second, fs/inode.c\n" + verdict
    )


def test_quiet_prints_the_verdict_only() -> None:
    assert printed(-1).startswith("\ndivergence at step 3")


def test_equal_parts_are_elided() -> None:
    left, right = "x" * 100 + "1" + "y" * 100, "x" * 100 + "2" + "y" * 100
    assert elide(left, right) == (
        "…" + "x" * 16 + "1" + "y" * 16 + "…",
        "…" + "x" * 16 + "2" + "y" * 16 + "…",
    )


@given(st.text("ab", max_size=80), st.text("ab", max_size=80))
def test_eliding_keeps_what_differs(left: str, right: str) -> None:
    short_left, short_right = elide(left, right)
    assert (short_left == short_right) == (left == right)


def test_differences_are_aligned() -> None:
    lines = divergence_lines((Difference("a", 1, 2), Difference("long.path", b"x", b"y")))
    assert lines == [
        "a          observed 1",
        "           allowed  2",
        'long.path  observed "x"',
        '           allowed  "y"',
    ]


def test_values_are_short() -> None:
    assert short(b'\0\n"\x80') == '"\\0\\n\\"\\x80"'
    assert quoted(b"a" * 30) == '"' + "a" * 24 + '"...(30)'
    assert short(None) == "NULL"
    assert short(("O_RDWR", "O_CLOEXEC")) == "O_RDWR|O_CLOEXEC"
    assert run_lengths(["a", "b", "b", "b", "c", "c"]) == ["a", "b x 3", "c, c"]
