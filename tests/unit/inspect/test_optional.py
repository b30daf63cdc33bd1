"""Every member that may be missing says why, and nothing is excused that nobody reads."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import drgn
import pytest

from ktrace.inspect import optional
from ktrace.inspect.layout import Layout, plain_path
from ktrace.inspect.members import has_member, shape_of

ROOT = Path(__file__).parents[3]


def calls(source: str, names: dict[str, Any], function: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield type and members of every call of *function*, with what *names* knows put in for names.

    :raises AssertionError: a member that may be missing depends on something that cannot be known here
    """
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or getattr(node.func, "id", "") != function:
            continue
        # The first argument is the program; a list and a mapping take all others, starred ones included.
        members: ast.expr = ast.List(elts=node.args[1:], ctx=ast.Load())
        renamed: ast.expr = ast.Call(func=ast.Name(id="dict", ctx=ast.Load()), args=[], keywords=node.keywords)
        try:
            structure, *paths = _value(members, names)
            yield structure, (*paths, *_value(renamed, names).values())
        except NameError:
            assert "?" not in ast.unparse(node), f"line {node.lineno}: spell out which members may be missing"


def _value(node: ast.expr, names: dict[str, Any]) -> Any:
    expression = ast.fix_missing_locations(ast.Expression(body=node))
    return eval(compile(expression, "<call>", "eval"), dict(names))


def everywhere(function: str) -> set[tuple[str, str]]:
    """Return type and member, as it is marked, of every call of *function* in ktrace/inspect."""
    found: set[tuple[str, str]] = set()
    for path in sorted((ROOT / "ktrace" / "inspect").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        module = importlib.import_module(name)
        for structure, members in calls(path.read_text(), vars(module), function):
            found.update((structure, member) for member in members)
    return found


CONFIGURED = ("oob_skb", "watch_queue")
"""Members that ``is_configured()`` is asked for; a function is named behind each."""


def asked() -> set[str]:
    """Return the members that are read as if they could be missing."""
    marked = {(name, plain_path(path)) for name, path in everywhere("layout_of") if path.startswith("?")}
    read = marked | everywhere("has_member") | everywhere("first_member")
    read |= {(name, path) for name, path in everywhere("is_configured") if "." not in path and path in CONFIGURED}
    return {f"{name}.{path}" for name, path in read}


def test_every_member_that_may_be_missing_says_why() -> None:
    assert len(asked()) > 40
    assert asked() - optional.OPTIONAL.keys() == set()


def test_nothing_is_excused_that_nobody_reads() -> None:
    assert optional.OPTIONAL.keys() - asked() == set()


def test_every_member_with_more_than_one_shape_says_why() -> None:
    assert {f"{name}.{path}" for name, path in everywhere("shape_of")} == optional.SHAPES.keys()


@pytest.mark.parametrize("why", [*optional.OPTIONAL.values(), *optional.SHAPES.values()])
def test_a_reason_names_a_commit_a_release_or_an_option(why: str) -> None:
    words = why.replace("(", " ").replace(")", " ").replace(",", " ").replace(";", " ").replace(":", " ").split()
    commits = [word for word in words if len(word) == 12 and set(word) <= set("0123456789abcdef")]
    releases = [word for word in words if word[:2] in ("5.", "6.", "7.") and word[2:].replace(".", "").isdigit()]
    assert commits or releases or any(word.startswith("CONFIG_") for word in words), why


def test_the_rule_sees_what_is_read_and_how_it_is_spelled() -> None:
    source = (
        'A = layout_of(prog, "struct a", "x", *(f"?{n}" for n in N), last="?y.z")\nlayout_of(prog, kind, "pivot[]")\n'
    )
    assert list(calls(source, {"N": ("b", "c")}, "layout_of")) == [("struct a", ("x", "?b", "?c", "?y.z"))]
    with pytest.raises(AssertionError, match="line 1: spell out"):
        list(calls('layout_of(prog, "struct a", *members, "?x")', {}, "layout_of"))


def test_an_unexplained_member_is_refused_where_it_is_read() -> None:
    prog = drgn.Program(drgn.Platform(drgn.Architecture.X86_64))
    word = prog.int_type("unsigned long", 8, False)
    sample = prog.struct_type("sample", 8, [drgn.TypeMember(word, "x", 0)])
    prog.register_type_finder("fake", lambda _p, _k, name, _f: sample if name == "sample" else None, enable_index=0)
    with pytest.raises(AssertionError, match=r"does not say why struct sample\.x"):
        Layout(prog, "struct sample", "?x")
    with pytest.raises(AssertionError, match=r"does not say why struct sample\.x"):
        has_member(prog, "struct sample", "x")
    with pytest.raises(AssertionError, match=r"does not say why struct sample\.x"):
        shape_of(prog, "struct sample", "x")
