"""Sessions that were kept: listed, found by a name, removed; the one whose guest is held stays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ktrace.errors import UsageError
from ktrace.trace.kept import find_session, kept_sessions, remove_session, remove_sessions
from ktrace.trace.session import FILE_NAME

RECORDED = Path(__file__).parents[3] / "traces" / "recorded"
NAMES = ("20260101-000000-pipe-basic-aaaa", "20260102-000000-pipe-basic-bbbb", "20260102-000001-sem-basic-cccc")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of our own with three sessions, and a directory that is none."""
    import gzip

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    place = tmp_path / "ktrace" / "sessions"
    for number, name in enumerate(NAMES):
        (place / name).mkdir(parents=True)
        file = place / name / FILE_NAME
        file.write_bytes(gzip.decompress((RECORDED / "pipe-basic.jsonl.gz").read_bytes()))
        os.utime(file, (1000 + number, 1000 + number))
        os.utime(place / name, (1000 + number, 1000 + number))
    (place / "20260103-goto-dddd").mkdir()
    return place


def hold(directory: Path, pid: int, descriptor: int) -> None:
    """Say that a process holds the guest of a session."""
    facts = {"pid": pid, "ram_fd": descriptor, "size": 1, "image": "", "title": "", "vmlinux": "", "vmcoreinfo": ""}
    (directory / "live.json").write_text(json.dumps({**facts, "living": {}}))


def test_the_newest_comes_first(cache: Path) -> None:
    assert [kept.name for kept in kept_sessions() if kept.name in NAMES] == [*reversed(NAMES)]


def test_one_is_found_by_its_name_its_beginning_or_as_the_last(cache: Path) -> None:
    assert find_session(NAMES[0]) == cache / NAMES[0]
    assert find_session("20260101") == cache / NAMES[0]
    assert find_session("last") == cache / NAMES[2]
    assert find_session("/some/path") == Path("/some/path")
    with pytest.raises(UsageError, match="may be any of 2 sessions"):
        find_session("20260102")
    with pytest.raises(UsageError, match="no session 'nosuch'"):
        find_session("nosuch")


def test_one_whose_guest_is_held_stays(cache: Path) -> None:
    hold(cache / NAMES[0], os.getpid(), 0)
    hold(cache / NAMES[1], 1 << 30, 0)  # its holder was killed
    assert [kept.name for kept in kept_sessions() if kept.live] == [NAMES[0]]
    assert remove_sessions(kept_sessions()) > 0
    assert [path.name for path in cache.iterdir()] == [NAMES[0]]
    with pytest.raises(UsageError, match="is held"):
        remove_session(cache / NAMES[0])


def test_every_command_takes_a_name(cache: Path) -> None:
    def ktrace(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "ktrace", *arguments], capture_output=True, text=True, timeout=120, check=False
        )

    out = str(cache.parent / "report.html")
    for command in (
        ("show", "last"), ("check", "last", "20260101"), ("report", "20260101", "-o", out), ("watch", "last"),
        ("export", "last", "--format", "csv"), ("diff", "last", NAMES[0]),
    ):  # fmt: skip
        done = ktrace(*command)
        assert done.returncode == 0, (command, done.stderr)
    assert ktrace("goto", "nosuch", "1").stderr.startswith("ktrace (usage): no session 'nosuch'")
    listed = [json.loads(line) for line in ktrace("sessions", "--json").stdout.splitlines()]
    assert {item["name"] for item in listed} >= set(NAMES)
    assert ktrace("sessions", "rm").returncode == 2
    assert ktrace("sessions", "rm", "20260101").stderr.startswith("1 session removed")
    assert ktrace("sessions", "rm", "--keep", "1").returncode == 0
    assert len(list(cache.iterdir())) == 1
