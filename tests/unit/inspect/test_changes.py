"""What changed between kernels: every difference is read, says where it comes from, and no version decides."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from pathlib import Path

import pytest

from ktrace.inspect.changes import PROBES
from ktrace.state.changes import Change, Changes, changes
from ktrace.state.fs.pipe.pipe import PipeFacts

ROOT = Path(__file__).parents[3]
RELEASE = re.compile(r"[4-9]\.\d+")


def test_every_change_is_read_and_nothing_else() -> None:
    assert PROBES.keys() == {item.name for item in fields(Changes)}


@pytest.mark.parametrize(("name", "change"), list(changes()))
def test_a_change_says_what_where_since_and_how_it_is_told(name: str, change: Change) -> None:
    assert change.area in ("pipe", "ipc", "socket", "file", "structures")
    assert change.what and change.before and change.told, name
    assert re.fullmatch(r"[a-z0-9/_]+\.[ch]", change.source)
    assert re.fullmatch(r"[a-z0-9_]+", change.function)
    assert RELEASE.search(change.since)


def test_a_change_is_cited_as_rules_are() -> None:
    assert dict(changes())["splice_to_socket"].citation == "fs/splice.c: splice_to_socket()"


FACTS = {"pipe_prealloc": "prefills", "pipe_size_unsigned_int": "size_mask"}
"""Changes that the model knows by a fact of ``state.fs.pipe.pipe.PipeFacts``."""


def test_every_change_is_asked_for() -> None:
    asked = set(FACTS)
    assert set(FACTS.values()) <= {item.name for item in fields(PipeFacts)}
    for path in (ROOT / "ktrace" / "model").rglob("*.py"):
        asked.update(re.findall(r"\bchanges\.(\w+)", path.read_text()))
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
