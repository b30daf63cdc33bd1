"""The wheel works in an empty directory of somebody else's environment, and says what of it is missing."""

from __future__ import annotations

import os
from pathlib import Path

from ktrace.machine.template.template import Template
from tests.guest.library.wheel import ROOT, Installed


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
