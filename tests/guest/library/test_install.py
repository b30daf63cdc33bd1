"""The wheel works in an empty directory of somebody else's environment, and says what of it is missing."""

from __future__ import annotations

import os
import shutil
import sysconfig
import tempfile
from pathlib import Path

import pytest

from ktrace.cli.main import _COMMANDS
from ktrace.machine.template.template import Template
from tests.guest.library.wheel import NOBODY, ROOT, Installed, as_ordinary_user, build_wheel, python_of_everybody


def test_the_wheel_has_all_that_guests_are_built_from(installed: Installed) -> None:
    assert not installed.package.is_relative_to(ROOT)
    for part, unneeded in (("guest", set()), ("images", set()), ("traces", {"recorded", "sessions"})):
        there = {path.name for path in (ROOT / part).iterdir()} - unneeded
        assert {path.name for path in (installed.package / "data" / part).iterdir()} == there
    assert (installed.package / "py.typed").is_file()


def test_commands_work_in_an_empty_directory(installed: Installed, template: Template) -> None:
    assert installed.run("ktrace", "run", "pipe-basic", "-q").stdout.startswith("pipe-basic: agreed: 16 steps")
    assert "lab-6.1 " in installed.run("ktrace", "image", "list").stdout
    assert installed.run("ktrace", "exec", "--", "echo", "hello").stdout == "hello\n"
    assert os.listdir(installed.work) == []


@pytest.mark.optional
def test_an_ordinary_user_installs_it_in_an_empty_environment(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path)
    with tempfile.TemporaryDirectory(prefix="ktrace-user-") as scratch:
        home = Path(scratch)
        given = str(shutil.copy(wheel, home))
        if os.geteuid() == 0:
            os.chown(home, int(NOBODY), int(NOBODY))
        if (python := python_of_everybody(home)) is None:
            pytest.skip("no Python of this version that an ordinary user can run")
        assert as_ordinary_user(python, "-m", "venv", "--without-pip", "venv", cwd=home).returncode == 0
        # What it depends on comes from where pip has put it for this test.
        (site,) = home.glob("venv/lib/python*/site-packages")
        (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
        own = str(home / "venv/bin/python")
        only = ("--no-deps", "--no-index", "--ignore-installed")
        done = as_ordinary_user(own, "-m", "pip", "install", "-q", *only, given, cwd=home)
        assert done.returncode == 0, done.stderr
        ktrace = str(home / "venv/bin/ktrace")
        (home / "empty").mkdir(mode=0o755)
        for words in (["--version"], *([verb, "--help"] for verb in _COMMANDS)):
            done = as_ordinary_user(ktrace, *words, cwd=home / "empty")
            assert done.returncode == 0 and done.stdout and not done.stderr, (words, done.stderr)
        done = as_ordinary_user(ktrace, "doctor", cwd=home / "empty", HOME=str(home))
        assert "image store" in done.stdout and "image lab-6.1" in done.stdout and not done.stderr, done.stderr
        done = as_ordinary_user(ktrace, "run", "pipe-basic", cwd=home / "empty", HOME=str(home))
        assert done.returncode == 3 and "image 'lab-6.1' is not built" in done.stderr, done.stderr
        assert os.listdir(home / "empty") == []


def test_a_file_that_is_missing_is_named(installed: Installed) -> None:
    for name, command, said in (
        ("guest/base.config", ("image", "list"), "not installed whole: 'guest/base.config' is missing"),
        ("traces", ("run", "--list"), "not installed whole: guest/, images/ and traces/ missing"),
    ):
        path, away = installed.package / "data" / name, installed.package / "away"
        path.rename(away)
        try:
            done = installed.run("ktrace", *command)
            assert done.returncode == 3 and said in done.stderr, done.stderr
            assert "install ktrace again" in done.stderr and "Traceback" not in done.stderr
        finally:
            away.rename(path)


def test_recipes_of_ones_own_are_found(installed: Installed, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('like = "lab-6.1"\nsummary = "a kernel of mine"\n')
    listed = installed.run("ktrace", "image", "list", KTRACE_IMAGES=str(tmp_path)).stdout
    assert "a kernel of mine" in listed
