"""The model says what its rules return, builds the World's values by keyword, and imports at the top of its modules."""

from __future__ import annotations

import ast
import dataclasses
import importlib
from pathlib import Path

ROOT = Path(__file__).parents[3]
MODEL = {str(path.relative_to(ROOT)): path.read_text() for path in (ROOT / "ktrace" / "model").rglob("*.py")}
RETURN_ANY = 10
"""Functions that may say ``-> Any``: a value of the World, or a set of those that are allowed in its place."""

BY_POSITION = {
    "Answers": "rule, low, high, errnos",
    "Between": "rule, low, high", "Call": "name and arguments", "Choice": "rule, taken, allowed",
    "EndOf": "rule, data, more", "ProtocolSwitch": "lines of a table", "Ref": "kind and key",
    "Result": "value, errno, out values", "Rule": "file, function, what is open",
}  # fmt: skip


def returns_any(source: str) -> list[str]:
    """Return the functions of *source* whose result has no type."""
    functions = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef))
    return [node.name for node in functions if node.returns is not None and ast.unparse(node.returns) == "Any"]


def by_position(source: str) -> list[str]:
    """Return the values of ktrace.state that *source* builds with more than two positional arguments."""
    tree = ast.parse(source)
    known: dict[str, object] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ktrace.state"):
            for alias in node.names:
                parent = importlib.import_module(node.module or "")
                known[alias.asname or alias.name] = getattr(parent, alias.name, None) or importlib.import_module(
                    f"{node.module}.{alias.name}"
                )
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or len(node.args) <= 2:
            continue
        base, _, name = ast.unparse(node.func).rpartition(".")
        value = getattr(known.get(base), name, None) if base else known.get(name)
        if isinstance(value, type) and dataclasses.is_dataclass(value) and value.__name__ not in BY_POSITION:
            found.append(f"{node.lineno}: {value.__name__}")
    return found


def late_imports(source: str) -> list[str]:
    """Return the functions of *source* that import something when they run."""
    functions = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef))
    return [
        node.name
        for node in functions
        if any(isinstance(inner, (ast.Import, ast.ImportFrom)) for inner in ast.walk(node))
    ]


def test_rules_say_what_they_return() -> None:
    found = [f"{path}: {name}" for path, source in MODEL.items() for name in returns_any(source)]
    assert len(found) <= RETURN_ANY, "\n".join(found)


def test_values_for_the_world_are_built_by_keyword() -> None:
    found = {path: by_position(source) for path, source in MODEL.items()}
    assert {path: calls for path, calls in found.items() if calls} == {}


def test_nothing_is_imported_within_a_function() -> None:
    found = {path: late_imports(source) for path, source in MODEL.items()}
    assert {path: names for path, names in found.items() if names} == {}


def test_the_rules_see_what_they_are_for() -> None:
    assert returns_any("def f() -> Any: ...\ndef g() -> dict[str, Any]: ...\n") == ["f"]
    assert by_position("from ktrace.state.fs import epoll as state\nstate.EpollItem(1, (), 2)\n") == ["2: EpollItem"]
    assert by_position("from ktrace.state.process.process import Credentials\nCredentials(1, 2, gid=3)\n") == []
    assert late_imports("def f() -> None:\n    from os import path\n") == ["f"]
