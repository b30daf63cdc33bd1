"""Who may import whom (docs/architecture.md), and other house rules; each is proved on a bad sample."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "ktrace"

TABLE = ROOT / "docs" / "architecture.md"
FOR_ALL = frozenset(
    {"uapi", "include", "cycles", "errors", "interrupt", "output_file", "own_files", "suggest", "version"}
)
"""What every room may import but the first two themselves."""

OUTSIDE = {
    "drgn": {"inspect", "verify", "cli", "bench", "seed", "fuzz", "library"},
    "click": {"cli"},
    "rich": {"cli", "report", "seed", "library"},
    "jinja2": {"report"},
    "pexpect": {"machine"},
    "pytest": {"testing"},
    "zstandard": {"image"},
    "random": {"fuzz", "verify"},
}  # fmt: skip
"""Modules of others' that only some rooms use."""

NOT_THE_MODEL = ("time", "random", "os", "subprocess", "socket", "secrets")
"""What the model says depends on nothing but the calls."""


def imports(source: str) -> Iterator[str]:
    """Yield the modules that *source* imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            if node.module == "ktrace":
                yield from (f"ktrace.{alias.name}" for alias in node.names)
            else:
                yield node.module


def rooms(table: str) -> dict[str, set[str]]:
    """Return what each room may import, as the table in docs/architecture.md has it."""
    found = {}
    for line in table.splitlines():
        if (match := re.fullmatch(r"\| `ktrace/(\w+)/` \|.*\| (.*) ?\|", line)) is not None:
            found[match[1]] = set(re.findall(r"`(\w+)`", match[2]))
    return found


def imported_rooms(source: str) -> set[str]:
    """Return the rooms that *source* imports."""
    return {name.split(".")[1] for name in imports(source) if name.startswith("ktrace.")}


def sources(room: str) -> dict[str, str]:
    """Return the modules of a room."""
    return {str(path.relative_to(ROOT)): path.read_text() for path in sorted((PACKAGE / room).rglob("*.py"))}


def test_every_room_stands_in_the_table() -> None:
    assert rooms(TABLE.read_text()).keys() == {path.parent.name for path in PACKAGE.glob("*/__init__.py")}


@pytest.mark.parametrize("room", sorted(rooms(TABLE.read_text())))
def test_rooms_import_what_the_table_says(room: str) -> None:
    allowed = rooms(TABLE.read_text())[room]
    known = allowed | {room} | (FOR_ALL if room not in ("uapi", "include") else set())
    found = {path: imported_rooms(source) - known for path, source in sources(room).items()}
    assert {path: names for path, names in found.items() if names} == {}
    used = set().union(*(imported_rooms(source) for source in sources(room).values()))
    assert allowed - used == set(), "the table allows more than there is"


@pytest.mark.parametrize("module", sorted(OUTSIDE))
def test_modules_of_others_are_used_where_they_belong(module: str) -> None:
    found = {
        path
        for room in rooms(TABLE.read_text())
        if room not in OUTSIDE[module]
        for path, source in sources(room).items()
        if any(name == module or name.startswith(module + ".") for name in imports(source))
    }
    assert found == set()


def test_the_model_depends_on_nothing_but_the_calls() -> None:
    found = {path: set(imports(source)) & set(NOT_THE_MODEL) for path, source in sources("model").items()}
    assert {path: names for path, names in found.items() if names} == {}


def test_the_rule_sees_a_trespass() -> None:
    assert imported_rooms("import drgn\nfrom ktrace.inspect.memory import X\nfrom ktrace import cli\n") == {
        "inspect",
        "cli",
    }
    assert rooms("| `ktrace/machine/` | QEMU | `agent`, `image` |\n| `ktrace/state/` | World | |") == {
        "machine": {"agent", "image"},
        "state": set(),
    }


def at_run_time(source: str) -> Iterator[str]:
    """Yield the modules that *source* imports when it runs: all but those for types only."""
    tree = ast.parse(source)
    typing_only = only_for_types(tree)
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def only_for_types(tree: ast.AST) -> set[int]:
    """Return the ids of all nodes under ``if TYPE_CHECKING``."""
    return {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }


def circle(modules: Mapping[str, str]) -> list[str]:
    """Return modules that import each other in a circle, none where there is none."""
    graph: dict[str, set[str]] = {}
    for name, source in modules.items():
        # What is taken from a package is a module of it, or else is in the package itself.
        taken = (other if other in modules else other.rpartition(".")[0] for other in at_run_time(source))
        graph[name] = {other for other in taken if other in modules and other != name}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def test_no_modules_import_each_other_in_a_circle() -> None:
    modules = {}
    for path in PACKAGE.rglob("*.py"):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        modules[name] = path.read_text()
    assert circle(modules) == []


def test_the_rule_sees_a_circle() -> None:
    assert circle({"a": "from b import x", "b": "import a"}) != []
    assert circle({"a": "from b import x", "b": "def f():\n    import a\n"}) != []
    assert circle({"a": "from b import x", "b": "if TYPE_CHECKING:\n    import a\n"}) == []


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
    typing_only = only_for_types(tree)
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
