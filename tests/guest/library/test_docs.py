"""What docs/python.md and README show works: their examples are run, in order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ktrace.image.image import Image

ROOT = Path(__file__).parents[3]
PAGES = (ROOT / "README.md", ROOT / "docs" / "python.md")
EXAMPLE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def examples() -> list[Any]:
    """Return the pages' examples with their places."""
    found = []
    for page in PAGES:
        text = page.read_text()
        for match in EXAMPLE.finditer(text):
            line = text.count("\n", 0, match.start()) + 2
            found.append(pytest.param(page, line, match[1], id=f"{page.name}-{line}"))
    return found


@pytest.fixture(scope="module")
def namespace() -> Mapping[str, Any]:
    """What earlier examples have imported."""
    return {}


@pytest.mark.parametrize(("page", "line", "source"), examples())
def test_the_examples_run(page: Path, line: int, source: str, namespace: dict[str, Any], image: Image) -> None:
    exec(compile("\n" * (line - 1) + source, str(page), "exec"), namespace)


def test_there_are_examples() -> None:
    assert len(examples()) >= 7
