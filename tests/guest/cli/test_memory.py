"""``--memory`` of every command that boots: it is given, it is noted, and too little of it is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ktrace.image.image import Image
from tests.guest.cli.test_cli import ktrace

#: A command of each kind that boots a guest, with a step or two to do in it.
COMMANDS = {
    "run": ("run", "pipe-basic", "-q"),
    "fuzz": ("fuzz", "--steps", "5", "--family", "pipe"),
    "exec": ("exec", "true"),
    "inspect": ("inspect", "pipes", "pipe-basic:2"),
    "shell": ("shell", "pipe-basic:1", "-c", "print(1)"),
    "probe": ("probe", "pipe_write", "pipe-basic"),
    "dump": ("dump", "pipe-basic:1", "-o", "out.core"),
    "bench": ("bench", "--only", "agent-round-trip", "--runs", "3"),
    "seed": ("seed",),
    "watch": ("watch", "pipe-basic"),
}


def total(text: str) -> int:
    """Return MemTotal of /proc/meminfo, in MiB."""
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("MemTotal")) >> 10


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_that_boots_takes_it_and_names_too_little(image: Image, command: str, tmp_path: Path) -> None:
    name, *rest = COMMANDS[command]
    # Options of a command stand before its arguments: what follows those of exec is the program's.
    done = ktrace(name, "--memory", "16", *rest)
    assert done.stderr.splitlines()[-1] == "ktrace (usage): the kernel needs more than 16 MiB: --memory 64"
    # The codes of exec are told apart from those of the program.
    assert done.returncode == (122 if name == "exec" else 2)


@pytest.mark.parametrize("mib", ["0", "-1", "much"])
def test_what_is_no_memory(mib: str) -> None:
    done = ktrace("exec", "--memory", mib, "true")
    assert done.returncode == 122
    assert "--memory" in done.stderr


def test_more_than_this_machine_has(image: Image) -> None:
    done = ktrace("exec", "--memory", "1000000000", "true")
    assert done.returncode == 123
    assert [line for line in done.stderr.splitlines() if line.startswith("ktrace (host): ")], done.stderr
    assert "Traceback" not in done.stderr


def test_a_program_finds_the_memory_that_was_asked_for(image: Image) -> None:
    done = ktrace("exec", "--memory", "100", "cat", "/proc/meminfo")
    assert (done.returncode, 80 < total(done.stdout) < 100) == (0, True), done.stderr


def test_a_session_notes_its_memory_and_goto_boots_with_it(image: Image, tmp_path: Path) -> None:
    session = str(tmp_path / "session")
    done = ktrace("run", "pipe-basic", "--memory", "100", "--session", session)
    assert done.returncode == 0, done.stderr
    header = json.loads((tmp_path / "session" / "session.jsonl").read_text().splitlines()[0])
    assert header["manifest"]["memory_mib"] == 100
    assert ktrace("goto", session, "2", "inspect", "pipes").returncode == 0
    done = ktrace("goto", session, "2", "--memory", "16", "inspect", "pipes")
    assert done.stderr.splitlines()[-1] == "ktrace (usage): the kernel needs more than 16 MiB: --memory 64"
