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
    "verify": ("ktrace.report", "ktrace.fuzz", "ktrace.seed", "ktrace.bench", "ktrace.cli", "click"),
    "fuzz": ("ktrace.bench", "ktrace.seed", "ktrace.cli", "click"),
    "bench": ("ktrace.cli", "click"),
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


SEES = {"ktrace/model/observed.py", "ktrace/model/kernel.py"}
"""Who may touch what was observed; rules get it from ``Kernel.choose()``."""


def peeks(source: str) -> list[str]:
    """Return what of *source*, a module of the model, gets at the observed World without a choice."""
    tree = ast.parse(source)
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("_observed", "evidence", "advice"):
            found.append(f"{node.lineno}: {ast.unparse(node)}")
        elif isinstance(node, ast.ImportFrom) and id(node) not in typing_only:
            if node.module in ("ktrace.model.observed", "ktrace.state.world"):
                found.append(f"{node.lineno}: {ast.unparse(node)}")
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith((".choose", "choose_port")):
            rule = node.args[0] if ast.unparse(node.func).endswith(".choose") else node.args[1]
            # Named by a constant, or told by whoever asks.
            if not isinstance(rule, (ast.Name, ast.Attribute, ast.IfExp)):
                found.append(f"{node.lineno}: choose({ast.unparse(rule)}, ...)")
    return found


def test_nothing_of_the_model_reads_the_observed_world_but_by_a_named_rule() -> None:
    modules = {str(path.relative_to(ROOT)): path.read_text() for path in sorted((PACKAGE / "model").rglob("*.py"))}
    assert {path: found for path, text in modules.items() if path not in SEES and (found := peeks(text))} == {}
    assert sum(text.count(".choose(") for text in modules.values()) > 25


def test_the_rule_sees_who_peeks() -> None:
    assert (
        peeks("if TYPE_CHECKING:\n    from ktrace.model.observed import Observed\nkernel.choose(RULE, find, ok, 0)")
        == []
    )
    assert peeks("from ktrace.model.observed import Observed") == ["1: from ktrace.model.observed import Observed"]
    assert peeks("def f(kernel):\n    return kernel._observed.socks()\n") == ["2: kernel._observed"]
    assert peeks("kernel.advice.world") == ["1: kernel.advice"]
    assert peeks("kernel.choose('any', find, ok, 0)") == ["1: choose('any', ...)"]
