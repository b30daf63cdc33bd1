"""No module but the owner says what a constant of the kernel's headers is."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.unit.uapi.owned import CONSTANT, ROOT, headers

OWNED = {name for room in ("uapi", "include") for header in headers(room) for name in header.constants}
OUTSIDE = [
    path
    for place in ("ktrace", "tests")
    for path in sorted((ROOT / place).rglob("*.py"))
    if not {"uapi", "include"} & set(path.relative_to(ROOT).parts)
]


def number(node: ast.expr | None) -> bool:
    """Tell whether *node* is written as a number: a literal, or literals joined by operators."""
    if isinstance(node, ast.UnaryOp):
        return number(node.operand)
    if isinstance(node, ast.BinOp):
        return number(node.left) and number(node.right)
    return isinstance(node, ast.Constant) and type(node.value) is int


def says(source: str, owned: set[str]) -> Iterator[tuple[int, str]]:
    """Yield the lines of *source* that give a constant of *owned* its value, and its name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            yield from _assigned(node, owned)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                for name, other in ((key, value), (value, key)):
                    if isinstance(name, ast.Constant) and name.value in owned and number(other):
                        yield name.lineno, str(name.value)
        elif isinstance(node, ast.keyword) and node.arg in owned and number(node.value):
            yield node.value.lineno, str(node.arg)


def _assigned(node: ast.Assign | ast.AnnAssign, owned: set[str]) -> Iterator[tuple[int, str]]:
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        many = isinstance(target, (ast.Tuple, ast.List))
        names = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
        values = node.value.elts if isinstance(node.value, (ast.Tuple, ast.List)) else [node.value] * len(names)
        for at, name in enumerate(names):
            if isinstance(name, ast.Name) and CONSTANT.fullmatch(name.id) and name.id.lstrip("_") in owned:
                value = values[at] if at < len(values) else None
                if number(value) or (many and isinstance(value, (ast.Call, ast.GeneratorExp))):
                    yield name.lineno, name.id


def test_constants_come_from_their_owner() -> None:
    found = {str(path.relative_to(ROOT)): list(says(path.read_text(), OWNED)) for path in OUTSIDE}
    assert {path: lines for path, lines in found.items() if lines} == {}
    assert len(found) > 500


def test_the_rule_sees_who_says_it_again() -> None:
    source = (
        "PF_UNIX = AF_UNIX = 1\n"
        "_PAGE_SIZE: int = 1 << 12\n"
        "SIGHUP, OURS, SIGINT = 1, 2, other\n"
        "F_DUPFD, F_GETFD = range(2)\n"
        "def f():\n    POLLIN = 1\n"
        "class C:\n    POLLOUT = -4\n"
        "NAMES = {1: 'AF_UNIX', 'AF_INET': 2, 3: 'ours', 'AF_INET6': AF_INET6}\n"
        "flags(O_EXCL=0o200, ours=3, O_CREAT=number)\n"
    )
    owned = {"AF_UNIX", "AF_INET", "AF_INET6", "PF_UNIX", "PAGE_SIZE", "SIGHUP", "SIGINT", "F_DUPFD", "F_GETFD"}
    assert sorted(says(source, owned | {"POLLIN", "POLLOUT", "O_EXCL", "O_CREAT"})) == [
        (1, "AF_UNIX"),
        (1, "PF_UNIX"),
        (2, "_PAGE_SIZE"),
        (3, "SIGHUP"),
        (4, "F_DUPFD"),
        (4, "F_GETFD"),
        (6, "POLLIN"),
        (8, "POLLOUT"),
        (9, "AF_INET"),
        (9, "AF_UNIX"),
        (10, "O_EXCL"),
    ]
