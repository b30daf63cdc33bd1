"""What ``ktrace/uapi`` and ``ktrace/include`` own, as their text says."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")


@dataclass(frozen=True)
class Header:
    """A module that owns constants.

    :param module: as it is imported
    :param cites: the headers that its first lines name
    :param constants: those that it defines itself, with their values
    """

    module: str
    cites: tuple[str, ...]
    constants: dict[str, int]


def assigned(source: str) -> Iterator[tuple[str, int]]:
    """Yield the names that look like constants, and the lines on which a module, a class or a function assigns them."""
    for node in ast.walk(ast.parse(source)):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)):
            targets = [node.target]
        for target in targets:
            for name in ast.walk(target):
                if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store) and CONSTANT.fullmatch(name.id):
                    yield name.id, name.lineno


def headers(room: str) -> list[Header]:
    """Return the modules of ``ktrace/`` *room* that own constants."""
    found = []
    for path in sorted((ROOT / "ktrace" / room).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        source = path.read_text()
        names = {constant for constant, _ in assigned(source)}
        values = {key: value for key, value in vars(importlib.import_module(name)).items() if key in names}
        constants = {key: value for key, value in values.items() if isinstance(value, int) and key[0] != "_"}
        if constants:
            cites = re.findall(r"``((?:arch/x86/)?include/[\w/.-]+\.h)``", ast.get_docstring(ast.parse(source)) or "")
            found.append(Header(name, tuple(cites), constants))
    return found
