"""What README shows is what is printed today, figures and all."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ktrace.machine.template.template import Template
from ktrace.workload.parser import parse_script

ROOT = Path(__file__).parents[3]
BLOCKS = re.findall(r"^```[a-z]*\n(.*?)^```$", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
KTRACE = [sys.executable, "-m", "ktrace"]
WRONG = """
import importlib.util, sys
from ktrace.cli.main import main

name = "ktrace.model.fs.pipe.pipe"
spec = importlib.util.find_spec(name)
right = spec.loader.get_source(name)
wrong = right.replace("self.head = self.head + 1", "self.head = self.head + 2")
assert wrong != right
sys.modules[name] = module = importlib.util.module_from_spec(spec)
exec(compile(wrong, spec.origin, "exec"), module.__dict__)
main(["run", "pipe-basic"])
"""


def block(beginning: str) -> list[str]:
    """Return the lines of the only block that begins so."""
    (found,) = [text for text in BLOCKS if text.startswith(beginning)]
    return [line for line in found.splitlines() if line.strip() != "..."]


def shown(line: str) -> re.Pattern[str]:
    """Return what a line of README stands for: ``...`` for anything, names of sessions for any session."""
    text = re.sub(r"[0-9]{8}-[0-9]{6}-([a-z-]+)-[0-9a-f]{4}", r"*\1*", line.replace("~/.cache/ktrace", "*"))
    return re.compile(".*".join(map(re.escape, text.replace("*", "...").split("..."))))


def missing(lines: list[str], printed: str) -> list[str]:
    """Return those of *lines* that were not printed in this order."""
    left = iter(printed.splitlines())
    return [line for line in lines if not any(shown(line).fullmatch(found) for found in left)]


def test_the_first_session(template: Template) -> None:
    command, *lines = block("$ .venv/bin/ktrace run pipe-basic")
    done = subprocess.run([*KTRACE, *command.split()[2:]], capture_output=True, text=True, timeout=100, check=True)
    assert missing(lines, done.stdout) == []


def test_the_divergence(template: Template) -> None:
    lines = block("divergence at step")
    done = subprocess.run([sys.executable, "-c", WRONG], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 1
    assert missing(lines, done.stdout) == []


@pytest.mark.parametrize("title", ["two actors and one semaphore", "FIONREAD after an out-of-band byte"])
def test_the_scripts(title: str, template: Template, tmp_path: Path) -> None:
    script = tmp_path / "script.kt"
    script.write_text("\n".join(block(f"## {title}")) + "\n")
    assert parse_script(script.read_text()).title.startswith(title)
    subprocess.run([*KTRACE, "run", str(script), "-q"], check=True, timeout=100, capture_output=True)


@pytest.mark.parametrize("path", re.findall(r"\]\(([a-zA-Z/._-]+)\)", (ROOT / "README.md").read_text()))
def test_links_lead_somewhere(path: str) -> None:
    assert (ROOT / path).exists()


def test_every_command_is_there() -> None:
    verbs = set(re.findall(r"`ktrace ([a-z]+)", (ROOT / "README.md").read_text()))
    assert verbs >= {"run", "inspect", "exec", "shell", "show", "check", "sessions", "fuzz", "goto", "image", "doctor"}
    for verb in sorted(verbs):
        subprocess.run([*KTRACE, verb, "--help"], check=True, timeout=100, capture_output=True)
