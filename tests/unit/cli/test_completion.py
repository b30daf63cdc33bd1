"""What a shell completes: verbs, workloads, sessions, images, families."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def completed(line: str, **environment: str) -> list[str]:
    """Return what bash would be told of the last word of *line*."""
    words = {"_KTRACE_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    done = subprocess.run(
        [sys.executable, "-m", "ktrace"],
        env={**os.environ, **words, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [item.partition(",")[2] for item in done.stdout.split()]


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("ktrace imag", {"image"}),
        ("ktrace run pipe-ba", {"pipe-basic"}),
        ("ktrace run sem-basic pipe-f", {"pipe-full"}),
        ("ktrace watch sem-bas", {"sem-basic"}),
        ("ktrace probe pipe_write pipe-ba", {"pipe-basic"}),
        ("ktrace inspect pip", {"pipes"}),
        ("ktrace inspect pipes pipe-ba", {"pipe-basic"}),
        ("ktrace run --image lab-7", {"lab-7.3"}),
        ("ktrace image build lab-7", {"lab-7.3"}),
        ("ktrace export last --format perf", {"perfetto"}),
        ("ktrace fuzz --family pipe,se", {"pipe,sem"}),
        ("ktrace run --sess", {"--session"}),
        ("ktrace exec -e semo", {"semop"}),
        ("ktrace exec -e trace=pipe2,sendm", {"trace=pipe2,sendmsg", "trace=pipe2,sendmmsg"}),
        ("ktrace exec -e trace=%net", {"trace=%network"}),
    ],
)
def test_words_are_completed(line: str, some: set[str]) -> None:
    assert some <= set(completed(line))


def ktrace(*arguments: str, **environment: str) -> str:
    """Return what the command prints."""
    done = subprocess.run(
        [sys.executable, "-m", "ktrace", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


def test_bash_completes_with_what_is_printed(tmp_path: Path) -> None:
    printed = ktrace("completion", "bash")
    (tmp_path / "ktrace").write_text(f'#!/bin/sh\nexec {sys.executable} -m ktrace "$@"\n')
    (tmp_path / "ktrace").chmod(0o755)
    asked = (
        'COMP_WORDS=(ktrace run pipe-ba) COMP_CWORD=2; _ktrace_completion ktrace pipe-ba run; echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", f"{printed}\n{asked}"],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == ["pipe-basic"]


@pytest.mark.optional
@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_complete_with_what_is_installed(shell: str, tmp_path: Path) -> None:
    if (program := shutil.which(shell)) is None:
        pytest.skip(f"{shell} is not installed")
    path, home = tmp_path / "bin", tmp_path / "home"
    path.mkdir()
    home.mkdir()
    (path / "ktrace").write_text(f'#!/bin/sh\nexec {sys.executable} -m ktrace "$@"\n')
    (path / "ktrace").chmod(0o755)
    homes = {"HOME": str(home), "XDG_DATA_HOME": "", "XDG_CONFIG_HOME": "", "PATH": f"{path}:{os.environ['PATH']}"}
    installed = ktrace("completion", shell, "--install", **homes).split()[0]
    asked = {
        # What zsh offers goes through compadd, which only a terminal has.
        "zsh": f"fpath=({Path(installed).parent} $fpath); autoload -Uz compinit; compinit -D; "
        "[[ $_comps[ktrace] == _ktrace ]] || exit 9; compadd() { print -rl -- $completions }; "
        "words=(ktrace run pipe-ba) CURRENT=3; _ktrace",
        "fish": "complete -C 'ktrace run pipe-ba'",
    }[shell]
    done = subprocess.run(
        [program, *(["-f"] if shell == "zsh" else []), "-c", asked],
        env={**os.environ, **homes, "TERM": "dumb"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0 and "pipe-basic" in done.stdout, (done.stdout, done.stderr)


def test_completion_is_installed_with_the_manual_page(tmp_path: Path) -> None:
    homes = {"HOME": str(tmp_path), "XDG_DATA_HOME": "", "XDG_CONFIG_HOME": ""}
    page = tmp_path / ".local/share/man/man1/ktrace.1"
    for shell, place in (
        ("bash", ".local/share/bash-completion/completions/ktrace"),
        ("zsh", ".local/share/zsh/site-functions/_ktrace"),
        ("fish", ".config/fish/completions/ktrace.fish"),
    ):
        assert ktrace("completion", shell, "--install", **homes).split() == [str(tmp_path / place), str(page)]
        assert "_KTRACE_COMPLETE" in (tmp_path / place).read_text()
    text = page.read_text()
    assert text == ktrace("completion", "man")
    for said in ("ktrace run [OPTIONS] [WORKLOADS]...", "ktrace image import ", "--functions", "KTRACE_IMAGES", "130"):
        assert said.replace("-", "\\-") in text
    assert not [line for line in text.splitlines() if line.startswith("'")]
    requests = {line.split()[0] for line in text.splitlines() if line.startswith(".")}
    assert requests <= {".TH", ".ad", ".SH", ".SS", ".TP", ".PP", ".B", ".nf", ".fi"}


def test_sessions_are_completed(tmp_path: Path) -> None:
    place = tmp_path / "ktrace" / "sessions" / "20261130-101112-pipe-basic-0000"
    place.mkdir(parents=True)
    (place / "session.jsonl").write_text("")
    for line in ("ktrace show 20", "ktrace sessions rm 2026", "ktrace goto 2", "ktrace inspect pipes 202"):
        assert completed(line, XDG_CACHE_HOME=str(tmp_path)) == [place.name]
    assert completed("ktrace show la", XDG_CACHE_HOME=str(tmp_path)) == ["last"]
    assert completed("ktrace show ./x", XDG_CACHE_HOME=str(tmp_path)) == ["./x"]
