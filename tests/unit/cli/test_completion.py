"""What a shell completes: verbs, workloads, sessions, images, families."""

from __future__ import annotations

import os
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
    ],
)
def test_words_are_completed(line: str, some: set[str]) -> None:
    assert some <= set(completed(line))


def test_sessions_are_completed(tmp_path: Path) -> None:
    place = tmp_path / "ktrace" / "sessions" / "20261130-101112-pipe-basic-0000"
    place.mkdir(parents=True)
    (place / "session.jsonl").write_text("")
    for line in ("ktrace show 20", "ktrace sessions rm 2026", "ktrace goto 2", "ktrace inspect pipes 202"):
        assert completed(line, XDG_CACHE_HOME=str(tmp_path)) == [place.name]
    assert completed("ktrace show la", XDG_CACHE_HOME=str(tmp_path)) == ["last"]
    assert completed("ktrace show ./x", XDG_CACHE_HOME=str(tmp_path)) == ["./x"]
