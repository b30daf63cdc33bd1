"""Who may import whom (docs/architecture.md), and other house rules; each is proved on a bad sample."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "ktrace"

FORBIDDEN = {
    "uapi": ("ktrace",),
    "include": ("ktrace",),
    "state": ("ktrace.model", "ktrace.inspect", "ktrace.machine", "ktrace.agent", "ktrace.image", "ktrace.workload",
              "ktrace.verify", "ktrace.trace", "ktrace.report", "ktrace.cli", "drgn"),
    "model": ("ktrace.inspect", "ktrace.machine", "ktrace.agent", "ktrace.image", "ktrace.workload", "ktrace.verify",
              "ktrace.trace", "ktrace.report", "ktrace.cli", "drgn", "time", "random", "os", "subprocess", "socket"),
    "inspect": ("ktrace.model", "ktrace.machine", "ktrace.agent", "ktrace.verify", "ktrace.cli"),
    "trace": ("ktrace.machine", "ktrace.verify", "ktrace.inspect", "ktrace.model", "ktrace.cli"),
    "report": ("ktrace.machine", "ktrace.verify", "ktrace.inspect", "ktrace.model", "ktrace.cli"),
}  # fmt: skip
ALLOWED = {"include": "ktrace.uapi"}
"""What is not meant by the above, beside the room itself."""


def imports(source: str) -> Iterator[str]:
    """Yield the modules that *source* imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def trespasses(room: str, source: str) -> list[str]:
    """Return what *source*, a module of *room*, imports against the rules."""
    return [
        name
        for name in imports(source)
        if any(_within(name, other) for other in FORBIDDEN[room])
        and not any(_within(name, other) for other in (f"ktrace.{room}", ALLOWED.get(room, f"ktrace.{room}")))
    ]


def _within(name: str, room: str) -> bool:
    return name == room or name.startswith(room + ".")


@pytest.mark.parametrize("room", sorted(FORBIDDEN))
def test_rooms_import_only_what_they_may(room: str) -> None:
    modules = sorted((PACKAGE / room).rglob("*.py"))
    assert modules
    found = {str(path.relative_to(ROOT)): trespasses(room, path.read_text()) for path in modules}
    assert {path: names for path, names in found.items() if names} == {}


def test_the_rule_sees_a_trespass() -> None:
    assert trespasses("model", "import drgn\nfrom ktrace.inspect.memory import X\nimport ktrace.state") == [
        "drgn",
        "ktrace.inspect.memory",
    ]
    assert trespasses(
        "include", "from ktrace.uapi import ipc\nfrom ktrace.include import net\nimport ktrace.uapi2"
    ) == ["ktrace.uapi2"]


MAY_SLEEP = {"ktrace/machine/clock.py": "it measures how fast a counter runs"}


def sleeps(source: str) -> list[int]:
    """Return the lines of *source* that call ``time.sleep``."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("time.sleep", "sleep")
    ]


def test_nothing_sleeps_to_synchronise() -> None:
    found = {str(path.relative_to(ROOT)): sleeps(path.read_text()) for path in PACKAGE.rglob("*.py")}
    assert {path for path, lines in found.items() if lines} == MAY_SLEEP.keys()


def test_the_rule_sees_a_sleep() -> None:
    assert sleeps("import time\n\ntime.sleep(1)\n") == [3]
