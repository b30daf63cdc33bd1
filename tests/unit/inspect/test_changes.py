"""What changed between kernels: every difference is read, says where it comes from, and no version decides."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import cast

import pytest

from ktrace.inspect.changes import PROBES, _consistent, between, symbol
from ktrace.inspect.kernel import LiveKernel
from ktrace.state.change import Change
from ktrace.state.changes import Changes, changes
from ktrace.verify.path_parser import read_paths
from ktrace.verify.paths import SUFFIX, Expectation
from ktrace.workload.library import directory

ROOT = Path(__file__).parents[3]
KNOWN = dict(changes())
RELEASE = re.compile(r"[4-9]\.\d+")


def test_every_change_is_read_and_nothing_else() -> None:
    assert PROBES.keys() == {item.name for item in fields(Changes)}


@pytest.mark.parametrize(("name", "change"), list(changes()))
def test_a_change_says_what_where_since_and_how_it_is_told(name: str, change: Change) -> None:
    assert change.area in ("pipe", "ipc", "socket", "file", "structures", "ways")
    assert change.what and change.before and change.told, name
    assert re.fullmatch(r"[a-z0-9/_]+\.[ch]", change.source)
    assert re.fullmatch(r"[a-z0-9_]+", change.function)
    assert RELEASE.search(change.since)


def test_a_change_is_cited_as_rules_are() -> None:
    assert dict(changes())["splice_to_socket"].citation == "fs/splice.c: splice_to_socket()"


class Symbols:
    """A kernel of which only the symbols are known."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def has_symbol(self, name: str) -> bool:
        return name in self._names


@pytest.mark.parametrize(
    ("symbols", "told"),
    [(("old",), False), (("new",), True), (("old", "new"), True), ((), None)],
)
def test_between_two_signs_it_cannot_be_told(symbols: tuple[str, ...], told: bool | None) -> None:
    kernel = cast("LiveKernel", Symbols(*symbols))
    assert between(symbol("old"), symbol("new"))(kernel) is told


def ways_asked_for(expectation: Expectation) -> Iterator[str]:
    """Yield the changes of the area ``ways``, which no rule asks for, that a path depends on."""
    item: Expectation | None = expectation
    while item is not None and item.condition is not None:
        yield from (name for name, _ in item.condition.terms if KNOWN[name].area == "ways")
        item = item.otherwise


def test_every_change_is_asked_for() -> None:
    asked: set[str] = set()
    for path in (ROOT / "ktrace" / "model").rglob("*.py"):
        asked.update(re.findall(r"\bchanges\.(\w+)", path.read_text()))
    for path in directory().glob("*" + SUFFIX):
        for expectation in read_paths(path):
            asked.update(ways_asked_for(expectation))
    assert asked == {item.name for item in fields(Changes)}


@pytest.mark.parametrize("room", ["model", "inspect", "workload", "verify", "fuzz"])
def test_no_version_decides(room: str) -> None:
    for path in (ROOT / "ktrace" / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Compare):
                for part in (node.left, *node.comparators):
                    text = ast.unparse(part)
                    assert not RELEASE.fullmatch(text.strip("'\"")), f"{path}:{node.lineno}: {ast.unparse(node)}"
                    assert not re.search(r"version_code|utsname|osrelease|uname", text), f"{path}:{node.lineno}"


def consistent(**found: bool | None) -> dict[str, bool | None]:
    """Return what is made of *found*, all else being no."""
    return _consistent({**dict.fromkeys(KNOWN, False), **found})


def test_a_sign_that_went_is_not_taken_as_an_old_kernel() -> None:
    """Linux 7.4, say, where unix_sock.inq_len of 6.17 has another name."""
    assert set(consistent().values()) == {False}
    newer = consistent(pipe_prealloc=True, udp_drops_unless_empty=True)
    assert newer["unix_inq_len"] is newer["tcp_peek_off"] is newer["pipe_pseudo_edgetrigger"] is None
    older = consistent(tcp_peek_off=True)
    assert older["unix_inq_len"] is False and older["splice_to_socket"] is None and older["tcp_peek_off"] is True


def test_every_release_is_read_of_what_is_said() -> None:
    assert KNOWN["splice_failed_keeps_pos"].releases == ((6, 6), (6, 12))
    assert KNOWN["unix_oob_holes"].releases == ((6, 10), (6, 12))
    assert KNOWN["vms_gather_munmap_vmas"].releases == ((6, 12), (6, 12))
    assert KNOWN["vma_longer_with_close"].releases == ((6, 4), (6, 12))
