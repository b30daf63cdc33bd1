"""Every rule that leaves the kernel a choice names a function that the kernel's source has at that place."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

MODEL = Path(__file__).parents[3] / "ktrace" / "model"
SOURCE = Path("/usr/src/linux-source-6.1.tar.xz")


def named(source: str) -> Iterator[tuple[str, str, str]]:
    """Yield the arguments of each ``Rule(...)`` in a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Rule":
            file, function, what = (ast.literal_eval(argument) for argument in node.args)
            yield file, function, what


RULES = [rule for path in sorted(MODEL.rglob("*.py")) for rule in named(path.read_text())]


def defines(text: str, function: str) -> bool:
    """Tell whether C source defines a function, or a macro with parameters."""
    return re.search(rf"^(?:[a-z_].*[ *])?{function}\([^;]*?\)\s*\{{|^#define\s+{function}\(", text, re.M) is not None


@pytest.fixture(scope="module")
def tree(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the cited files are, taken out of the kernel's source once (10 s)."""
    if not SOURCE.exists():
        pytest.skip("the package linux-source-6.1 is missing")
    cache = getattr(request.config, "cache", None)  # none with -p no:cacheprovider
    place = tmp_path_factory.mktemp("rules") if cache is None else cache.mkdir(f"rules-{SOURCE.stat().st_mtime_ns}")
    wanted = sorted({file for file, _, _ in RULES})
    if not all((place / name).exists() for name in wanted):
        command = ["tar", "-xJf", SOURCE, "-C", place, "--strip-components=1", "--wildcards"]
        subprocess.run([*command, *(f"*/{name}" for name in wanted)], check=True, timeout=110)
    return Path(place)


def test_rules_are_all_different() -> None:
    assert len(RULES) > 50
    names = [f"{function}(): {what}" for _, function, what in RULES]
    assert sorted(names) == sorted(set(names))


def test_the_kernel_has_the_functions_that_rules_name(tree: Path) -> None:
    texts = {file: (tree / file).read_text() for file, _, _ in RULES}
    assert [f"{file}: {function}()" for file, function, _ in RULES if not defines(texts[file], function)] == []


def test_a_function_is_told_from_its_call() -> None:
    assert defines("static int\nfoo(int a,\n    int b)\n{\n", "foo")
    assert defines("static inline bool foo(void) {", "foo")
    assert defines("#define foo(x) bar(x)", "foo")
    assert not defines("int foo(int);\nint bar(void)\n{\n\tfoo(1);\n}\n", "foo")
