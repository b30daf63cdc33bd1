"""The example project works from the wheel: its tests, and a bisection between kernels."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ktrace.errors import KtraceError
from ktrace.image.image import Image, find_image
from ktrace.machine.template.template import Template
from tests.guest.library.wheel import ROOT, Installed

EXAMPLE = ROOT / "examples" / "my-kernel-tests"
NEWER = "lab-7.3"
OWN_LOADER = """
import sys
from importlib.machinery import SourceFileLoader

def test_ktrace_is_not_compiled_anew(lab):
    loaded = [name for name in sys.modules if name.startswith(("ktrace.model", "ktrace.verify"))]
    assert len(loaded) > 100
    assert {type(sys.modules[name].__spec__.loader) for name in loaded} == {SourceFileLoader}
"""


def test_its_tests_pass(installed: Installed, template: Template, tmp_path: Path) -> None:
    project = shutil.copytree(EXAMPLE, tmp_path / "project")
    (project / "test_loader.py").write_text(OWN_LOADER)
    done = installed.run("python", "-m", "pytest", "-p", "no:cacheprovider", "--ktrace-require", cwd=project)
    assert "21 passed" in done.stdout, done.stdout


@pytest.mark.optional(f"{NEWER} is not built by the set-up")
def test_a_regression_is_bisected(installed: Installed, image: Image, tmp_path: Path) -> None:
    try:
        newer = find_image(NEWER)
    except KtraceError as error:
        pytest.skip(str(error))

    def git(*arguments: str) -> str:
        command = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *arguments]
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=110)
        return done.stdout + done.stderr

    environment = {
        **os.environ,
        "PATH": f"{installed.directory / 'bin'}:{os.environ['PATH']}",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),  # nobody else wants these images
        "BUILD": "true",  # they were built before
        "PYTHONPATH": "",
    }
    tree = tmp_path / "tree"
    (tree / "arch" / "x86").mkdir(parents=True)
    (tree / "arch" / "x86" / "Makefile").write_text("")
    git("init", "-q", "-b", "main")
    try:
        for number, built in enumerate((image, image, newer, newer), 1):
            (tree / "vmlinux").unlink(missing_ok=True)
            (tree / "vmlinux").symlink_to(built.vmlinux)
            (tree / "Kconfig").write_text(f"# {number}\n")
            git("add", "-A")
            git("commit", "-qm", f"commit {number}")
        git("bisect", "start", "main", "main~3")
        said = git("bisect", "run", str(EXAMPLE / "bisect"), "test_regression.py")
        assert "commit 3" in said.partition("is the first bad commit")[2], said
    finally:
        shutil.rmtree(tmp_path / "cache", ignore_errors=True)
