"""What was once taken as seen is held to what was set, to what lies in memory, or to what was seen before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ktrace.fuzz.perturbing.change import Change
from ktrace.fuzz.perturbing.perturb import perturb
from ktrace.fuzz.perturbing.plan import Plan, plan
from ktrace.fuzz.perturbing.tally import Tally
from ktrace.state.step import Step
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.checker import Checker

RECORDED = Path(__file__).parents[3] / "traces" / "recorded"


def changed(name: str, *kinds: str) -> Tally:
    """Change all values of some kinds in a recorded trace."""
    [found] = plan([RECORDED / f"{name}.jsonl.gz"], "held", 1000)
    wanted = {index: tuple(item for item in items if item.kind in kinds) for index, items in found.changes.items()}
    return perturb([replace(found, changes=wanted)])


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("file-held", [f"timerfd_gettime: curr_value.it_interval.{name}" for name in ("tv_sec", "tv_nsec")]),
        ("file-held", ["fstat: statbuf.st_ino", "fstat: statbuf.st_size", "fstat: statbuf.st_mode"]),
        ("file-kinds", ["file.f_op", "file.f_version", "access: result", "mkdir: result"]),
        ("anon-files", [f"timerfd_settime: old_value.{name}" for name in ("it_value.tv_sec", "it_interval.tv_nsec")]),
        ("rlimit-fsize", ["getrlimit: rlim.rlim_max", "getrlimit: rlim.rlim_cur"]),
        ("file-held", [f"fstat: statbuf.st_{name}" for name in ("atime", "mtime_nsec", "ctime_nsec")]),
        ("file-held", [f"stat: statbuf.st_{name}" for name in ("ino", "dev", "size", "blocks", "mtime_nsec")]),
        ("file-sync", ["fsync: result", "fdatasync: result"]),
        ("file-nameless", ["readlink: buf"]),
        ("epoll-anon", ["epoll.ready[]"]),
        ("file-held", ["timerfd_gettime: curr_value.it_value.tv_sec", "fstat: statbuf.st_rdev"]),
        ("anon-files", ["file.f_op"]),
        ("pipe-sendfile", ["pipe.bufs[].page_count"]),
        ("process-alarm", ["alarm: result"]),
        ("pipe-owners", ["fcntl: result", "fcntl: arg.pid"]),
        ("tcp-fin-full", ["sock.tcp.unacked"]),
        ("tcp-info", ["getsockopt: optval.tcpi_unacked", "getsockopt: optval.tcpi_last_ack_sent"]),
    ],
)  # fmt: skip
def test_every_change_is_noticed(name: str, kinds: list[str]) -> None:
    found = changed(name, *kinds)
    assert found.failures == []
    assert set(found.kinds) == set(kinds)
    assert found.missed == []


def test_a_cookie_is_the_next_one() -> None:
    [found] = plan([RECORDED / "socket-options.jsonl.gz"], "held", 1000)
    steps = list(SessionReader(found.path).steps())
    cookies = {
        index: tuple(item for item in found.changes[index] if item.kind == "getsockopt: optval")
        for index, step in enumerate(steps)
        if step.call.name == "getsockopt" and "COOKIE" in step.text
    }
    tally = perturb([Plan(found.path, found.steps, cookies)])
    assert tally.changed >= 2
    assert tally.missed == []


def test_who_is_told_otherwise_by_what_is_ready_sleeps_on_once() -> None:
    """A file on the ready list whose event the waiter was seen not to get woke it for ever."""
    path = RECORDED / "epoll-anon.jsonl.gz"
    [found] = plan([path], "held", 1000)
    index, change = next(
        (index, item)
        for index, items in found.changes.items()
        for item in items
        if item.kind == "epoll_wait: events[].data" and item.before == 1
    )
    assert isinstance(change, Change)
    tally = perturb([Plan(path, found.steps, {index: (replace(change, after=7),)})])
    assert tally.noticed == tally.changed == 1 and tally.failures == []


class Loose(Checker):
    """It does not compare what calls tell."""

    def check(self, step: Step) -> tuple[()]:
        return tuple(item for item in super().check(step) if "result" not in item.path)  # type: ignore[return-value]


def test_a_check_that_is_looser_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ktrace.fuzz.perturbing.perturb.Checker", Loose)
    assert changed("rlimit-fsize", "getrlimit: rlim.rlim_max").missed != []
