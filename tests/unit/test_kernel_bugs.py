"""docs/kernel-bugs and findings: each program compiles, is described, and is the one that the finding runs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUGS = ROOT / "docs" / "kernel-bugs"
PROGRAMS = sorted(BUGS.glob("*.c"))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_compiles_and_is_described(program: Path, tmp_path: Path) -> None:
    argv = ["cc", "-Wall", "-Wextra", "-Werror", "-o", str(tmp_path / "a.out"), str(program)]
    subprocess.run(argv, check=True, timeout=60)
    assert f"({program.name})" in program.with_suffix(".md").read_text()
    assert f"[{program.stem}]({program.stem}.md)" in (BUGS / "README.md").read_text()


def test_there_are_some() -> None:
    assert PROGRAMS
    assert {path.stem for path in BUGS.glob("*.md")} - {"README"} == {path.stem for path in PROGRAMS}


def test_findings_are_what_make_writes(tmp_path: Path) -> None:
    """Every finding stands alone: it holds the program and the script; one that was changed by hand is told."""
    subprocess.run([str(ROOT / "findings" / "make"), "--check"], check=True, timeout=60)
    for folder in ("findings", "docs/kernel-bugs"):
        subprocess.run(["cp", "-r", "--parents", folder, str(tmp_path)], cwd=ROOT, check=True, timeout=60)
    spoilt = tmp_path / "findings" / "splice-16-buffers.sh"
    spoilt.write_text(spoilt.read_text().replace("bc", "cb") + "\n")
    check = subprocess.run([str(tmp_path / "findings" / "make"), "--check"], capture_output=True, text=True, timeout=60)
    assert check.returncode == 1
    assert check.stdout == "findings/splice-16-buffers.sh is not what findings/make writes\n"
