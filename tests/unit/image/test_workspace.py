"""The workspace is private, and gone when its owner is."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ktrace.image import workspace
from ktrace.image.toolchain import run_tool
from ktrace.image.workspace import open_workspace

# A build in a process of its own, with a child that outlives nothing.
BUILD = """
import sys
from pathlib import Path
from ktrace.image.toolchain import run_tool
from ktrace.image.workspace import open_workspace

with open_workspace(Path(sys.argv[1])) as place:
    (place.outside / "big").write_text("x")
    run_tool(["sh", "-c", "echo $$; exec tail -f /dev/null"], place.outside, Path(sys.argv[2]), prefix=place.prefix,
             on_line=lambda line: print(place.path == place.outside, line, flush=True))
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "place"
    path.mkdir()
    return path


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def write_through(directory: Path, tmp_path: Path) -> bool:
    """Write a file with a tool, read it from here; tell whether it was on the disk."""
    with open_workspace(directory) as place:
        run_tool(["sh", "-c", "pwd; echo made > file"], place.outside, tmp_path / "log", prefix=place.prefix)
        assert (place.outside / "file").read_text() == "made\n"
        return (directory / "file").exists()


def test_tools_work_in_the_directory_by_its_own_name(directory, tmp_path):
    write_through(directory, tmp_path)
    assert (tmp_path / "log").read_text().splitlines()[1] == str(directory)


def test_memory_is_gone_afterwards(directory, tmp_path):
    if not write_through(directory, tmp_path):
        assert list(directory.iterdir()) == []
    assert str(directory) not in Path("/proc/self/mounts").read_text()


def test_little_memory_means_disk(directory, tmp_path, monkeypatch):
    monkeypatch.setattr(workspace, "available_memory", lambda: 1 << 30)
    assert write_through(directory, tmp_path)


def test_no_permission_means_disk(directory, tmp_path, monkeypatch):
    monkeypatch.setattr(workspace, "_MOUNT", "exit 1")
    assert write_through(directory, tmp_path)


def test_nothing_outlives_a_killed_builder(directory, tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", BUILD, str(directory), str(tmp_path / "log")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as builder:
        assert builder.stdout
        on_disk, pid = builder.stdout.readline().split()
        assert exists(int(pid))
        # Readable as long as the tool lives; poll() says when it has ended.
        watched = os.pidfd_open(int(pid))
        os.kill(builder.pid, signal.SIGKILL)

    assert select.select([watched], [], [], 20)[0] == [watched]
    os.close(watched)
    if on_disk == "False":
        assert list(directory.iterdir()) == []
