"""The language of expected paths, and what it means for a tree of functions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ktrace.errors import UsageError
from ktrace.inspect.trace.inlined import Inlined
from ktrace.state.call import Call, Completed, Outcome, Result
from ktrace.state.step import Step
from ktrace.state.trace.functions import FunctionTrace, Span
from ktrace.state.world import World
from ktrace.verify.path_check import PathChecker
from ktrace.verify.path_match import Matcher
from ktrace.verify.path_parser import parse_paths, read_paths
from ktrace.verify.paths import SUFFIX, said_of
from ktrace.workload.library import bundled, directory, load

PIPE2 = """\
__x64_sys_pipe2
 do_pipe2
  __do_pipe_flags
   create_pipe_files
    new_inode_pseudo
    alloc_pipe_info
   get_unused_fd_flags
    alloc_fd
   get_unused_fd_flags
    alloc_fd
  fd_install
  fd_install
"""

INLINED = {"create_pipe_files": {"get_pipe_inode": Inlined("get_pipe_inode", "create_pipe_files", "fs/pipe.c:920")}}


def spans(text: str) -> tuple[Span, ...]:
    return tuple(Span(len(line) - len(line.lstrip()), line.strip(), 0, 1) for line in text.splitlines())


def found(pattern: str, text: str = PIPE2, inlined: Mapping[str, Mapping[str, Inlined]] | None = None) -> bool:
    (expectation,) = parse_paths(f"pipe2: {pattern}", "test")
    table = inlined or {}
    return Matcher(spans(text), lambda name: table.get(name, {})).find(expectation.path) is not None


@pytest.mark.parametrize("pattern", [
    "do_pipe2 > __do_pipe_flags > create_pipe_files > alloc_pipe_info",
    "do_pipe2 >> alloc_pipe_info",
    "__do_pipe_flags > (create_pipe_files, get_unused_fd_flags, get_unused_fd_flags)",
    "do_pipe2 > (__do_pipe_flags > (create_pipe_files > (new_inode_pseudo, alloc_pipe_info)), fd_install, fd_install)",
    "create_pipe_files, fd_install",
    "nowhere|alloc_fd",
    "get_*_flags > alloc_fd",
])  # fmt: skip
def test_paths_that_were_gone(pattern: str) -> None:
    assert found(pattern)


@pytest.mark.parametrize("pattern", [
    "do_pipe2 > create_pipe_files",
    "__do_pipe_flags > (get_unused_fd_flags, create_pipe_files)",
    "__do_pipe_flags > (get_unused_fd_flags, get_unused_fd_flags, get_unused_fd_flags)",
    "create_pipe_files >> alloc_fd",
    "fd_install, create_pipe_files",
    "get_pipe_inode",
])  # fmt: skip
def test_paths_that_were_not(pattern: str) -> None:
    assert not found(pattern)


def test_an_inlined_function_is_where_the_one_that_holds_it_is() -> None:
    assert found("create_pipe_files > get_pipe_inode > (new_inode_pseudo, alloc_pipe_info)", inlined=INLINED)
    assert found("__do_pipe_flags > (create_pipe_files > get_pipe_inode, get_unused_fd_flags)", inlined=INLINED)
    assert not found("create_pipe_files > get_pipe_inode > alloc_fd", inlined=INLINED)
    assert not found("get_unused_fd_flags > get_pipe_inode", inlined=INLINED)


PARTS = """\
do_pipe2
 create_pipe_files
  alloc_pipe_info
 __do_pipe_flags.part.0
  get_unused_fd_flags
   alloc_fd
 fd_install
"""


@pytest.mark.parametrize("pattern", [
    "__do_pipe_flags > get_unused_fd_flags",
    "do_pipe2 > __do_pipe_flags",
    "do_pipe2 > (create_pipe_files, __do_pipe_flags > get_unused_fd_flags, fd_install)",
    "do_pipe2 > (create_pipe_files, get_unused_fd_flags > alloc_fd, fd_install)",
    "__do_pipe_*",
])  # fmt: skip
def test_a_part_of_a_function_is_the_function(pattern: str) -> None:
    assert found(pattern, PARTS)


def test_the_beginning_of_a_part_is_inlined_where_it_is_called() -> None:
    inlined = {"do_pipe2": {"__do_pipe_flags": Inlined("__do_pipe_flags", "do_pipe2", "fs/pipe.c:1026")}}
    way = "__do_pipe_flags > (create_pipe_files > alloc_pipe_info, get_unused_fd_flags)"
    assert found(way, PARTS, inlined)
    assert not found(way, PARTS)
    assert not found("do_pipe2 > alloc_fd", PARTS, inlined)
    assert not found("__do_pipe_flags > (get_unused_fd_flags, create_pipe_files)", PARTS, inlined)


@pytest.mark.parametrize(("text", "complaint"), [
    ("pipe2 do_pipe2", "t.paths:1: 'pipe2 do_pipe2' names no call"),
    ("pipe2: a >", "t.paths:1: a function is missing before 'the end'"),
    ("\n# why\npipe2: a > (b, c", "t.paths:3: a bracket is not closed"),
    ("pipe2: a ) b", "t.paths:1: ') b' is too much"),
    ("pipe2 = : a", "t.paths:1: 'pipe2 =' names no call"),
    ("pipe2: > a", "t.paths:1: a function is missing before '> a'"),
    ("pipe2: a if", "t.paths:1: unknown condition 'the end'"),
    ("pipe2: a if 7.3", "t.paths:1: unknown condition '7'"),
    ("pipe2: a if pipe_prealoc else b", "t.paths:1: unknown condition 'pipe_prealoc'"),
    ("pipe2: a if pipe_prealloc else", "t.paths:1: a function is missing before 'the end'"),
    ("pipe2: a if pipe_prealloc or compat", "t.paths:1: 'or compat' is too much"),
    ("pipe2: a > (b if compat)", "t.paths:1: a bracket is not closed"),
    ("pipe2: if compat", "t.paths:1: a function is missing before 'if compat'"),
])  # fmt: skip
def test_errors_name_file_and_line(text: str, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_paths(text, "t.paths")
    assert caught.value.message == complaint


def test_a_line_may_go_on() -> None:
    (one,) = parse_paths("pipe2 = 0:\n  a >  # why\n (b,\n c)", "t")
    assert str(one) == "a > (b, c)"
    (two,) = parse_paths("pipe2: a\n   > b\n", "t")
    assert str(two) == "a > b"
    (three,) = parse_paths("pipe2: a\n  if compat\n  else not b\n  > c\n", "t")
    assert str(three.chosen({"compat": False})) == "not b > c"


def step(number: int, actor: str, name: str, result: Result | None, trees: Mapping[str, str], **more: Any) -> Step:
    events = more.pop("events", None) or (() if result is None else (Completed(actor, result),))
    blocked = frozenset() if result is not None else frozenset({actor})
    functions = FunctionTrace({who: spans(text) for who, text in trees.items()})
    return Step(
        number=number, actor=actor, call=Call(name), text=name, answer="", outcome=Outcome(events, blocked),
        clock=(0, 0), world=World(), line=number, functions=functions,
    )  # fmt: skip


def check(text: str, *steps: Step, known: frozenset[str] | None = None) -> list[str]:
    checker = PathChecker(
        parse_paths(text, "t.paths"), "t.paths", lambda name: INLINED.get(name, {}),
        lambda name: known is None or name in known,
    )  # fmt: skip
    return [complaint for item in steps for complaint in checker.check(item)] + list(checker.unmet())


def test_conditions_choose_the_step() -> None:
    done = step(3, "A", "pipe2", Result(0), {"A": PIPE2})
    failed = step(4, "A", "pipe2", Result(-1, "EMFILE"), {"A": "__x64_sys_pipe2"})
    text = (
        "pipe2 = 0: do_pipe2\npipe2 = EMFILE: not do_pipe2\npipe2 = error: __x64_sys_pipe2\n[3] pipe2 = ok: fd_install"
    )
    assert check(text, done, failed) == []
    assert check("pipe2 = 0: fput", done) == ["t.paths:1: A's pipe2 must go through fput: fput not called"]
    assert check("pipe2 = 0: not fd_install", done) == ["t.paths:1: A's pipe2 must not go through fd_install, but did"]
    assert check("pipe2: fd_install, do_pipe2", done) == [
        "t.paths:1: A's pipe2 must go through fd_install, do_pipe2: all called, but not one from the other so"
    ]


CLOSE = "close: a > b if close_fput_sync and not compat else not c if compat else d"


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({"close_fput_sync": True, "compat": False}, ["a > b"]),
        ({"close_fput_sync": True, "compat": True}, ["not c"]),
        ({"close_fput_sync": False, "compat": False}, ["d"]),
        ({"close_fput_sync": None, "compat": False}, []),
        ({"close_fput_sync": None, "compat": True}, ["not c"]),
        ({}, []),
    ],
)
def test_what_is_said_depends_on_the_kernel(known: Mapping[str, bool | None], said: list[str]) -> None:
    assert [str(item) for item in said_of(parse_paths(CLOSE, "t"), known)] == said
    (otherwise_nothing,) = parse_paths("close: a if compat", "t")
    assert otherwise_nothing.chosen({"compat": False}) is None


def test_a_word_that_was_meant_otherwise_is_suggested() -> None:
    with pytest.raises(UsageError) as caught:
        parse_paths("pipe2: a if pipe_prealoc", "t")
    assert caught.value.hint is not None and "pipe_prealloc" in caught.value.hint


def test_an_expectation_that_nothing_was_held_against_is_named() -> None:
    done = step(3, "A", "pipe2", Result(0), {"A": PIPE2})
    assert check("[9] pipe2: do_pipe2\nB pipe2: do_pipe2", done) == [
        "t.paths:1: no step to hold it against: do_pipe2", "t.paths:2: no step to hold it against: do_pipe2",
    ]  # fmt: skip


def test_who_was_asleep_is_woken_in_somebody_elses_step() -> None:
    asleep = step(1, "B", "read", None, {"B": "pipe_read\n schedule"})
    woken = step(2, "A", "write", Result(1), {"A": "pipe_write", "B": "pipe_read\n finish_wait"},
                 events=(Completed("A", Result(1)), Completed("B", Result(1))))  # fmt: skip
    assert check("read = blocked: schedule\nread woken: finish_wait\nwrite: pipe_write", asleep, woken) == []
    assert check("read woken: pipe_write", asleep, woken) == [
        "t.paths:1: B's read must go through pipe_write: pipe_write not called"
    ]


def test_that_something_is_inlined_does_not_prove_that_it_ran() -> None:
    done = step(3, "A", "pipe2", Result(0), {"A": PIPE2})
    assert check("pipe2: create_pipe_files > get_pipe_inode\npipe2: not get_pipe_inode", done) == []


def test_a_function_that_the_kernel_does_not_have_is_named() -> None:
    done = step(3, "A", "pipe2", Result(0), {"A": PIPE2})
    assert check("pipe2: do_pipe2 > __do_pipe_flagz", done, known=frozenset({"do_pipe2"}))[0] == (
        "t.paths:1: this kernel has no function '__do_pipe_flagz'"
    )


def test_what_arrives_in_the_softirq_thread_counts() -> None:
    sent = step(1, "A", "send", Result(1), {"A": "tcp_sendmsg", "ksoftirqd/0": "net_rx_action\n tcp_v4_rcv"})
    assert check("send: net_rx_action >> tcp_v4_rcv", sent) == []


@pytest.mark.parametrize("name", [path.stem for path in sorted(directory().glob("*" + SUFFIX))])
def test_bundled_paths_belong_to_a_workload_and_to_its_lines(name: str) -> None:
    assert name in bundled()
    lines = {scripted.line for scripted in load(name).expanded()}
    expectations = read_paths(directory() / (name + SUFFIX))
    assert expectations
    assert {item.script_line for item in expectations} <= lines | {0}


def test_no_file_no_expectations(tmp_path: Path) -> None:
    assert read_paths(tmp_path / "none.paths") == ()
