"""Values that cross from readers to ktrace.state are built by keyword: two ints that are swapped would not show."""

from __future__ import annotations

import ast
import dataclasses
import importlib
from pathlib import Path

ROOT = Path(__file__).parents[3]
BY_POSITION = {"Ref": "a kind and a key, everywhere", "World": "its one member"}


def crossing(source: str) -> set[str]:
    """Return the names of the dataclasses that *source* imports from ktrace.state."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ktrace.state."):
            module = importlib.import_module(node.module or "")
            found |= {alias.name for alias in node.names if dataclasses.is_dataclass(getattr(module, alias.name))}
    return found - BY_POSITION.keys()


def by_position(source: str) -> list[str]:
    """Return the calls that build such a value with a positional argument."""
    names = crossing(source)
    return [
        f"{node.lineno}: {node.func.id}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names and node.args
    ]


def test_values_for_the_world_are_built_by_keyword() -> None:
    modules = {path: path.read_text() for path in (ROOT / "ktrace" / "inspect").rglob("*.py")}
    assert len(set.union(*map(crossing, modules.values()))) > 30
    found = {str(path.relative_to(ROOT)): by_position(source) for path, source in modules.items()}
    assert {path: calls for path, calls in found.items() if calls} == {}


def test_the_rule_sees_a_value_built_by_position() -> None:
    source = (
        "from ktrace.state.wait import Waiter\nfrom ktrace.state.ref import Ref\nWaiter(Ref('process', 'A'), False)\n"
    )
    assert by_position(source) == ["3: Waiter"]
