"""A matrix that is stopped in whatever way goes on where it was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from ktrace.image.image import Image
from ktrace.machine.template.template import Template
from ktrace.trace.session import FILE_NAME
from ktrace.trace.session_reader import SessionReader
from tests.guest.cli.test_cli import children, wait_gone

WORKLOADS = ("pipe-basic", "pipe-epipe", "sem-basic", "unix-stream")
DEADLINE = 300.0


def matrix(directory: Path, *more: str) -> subprocess.Popen[str]:
    """Begin one with a single guest at a time."""
    arguments = ("matrix", *WORKLOADS, *more, "--images", "lab-6.1", "--jobs", "1", "-o", str(directory))
    return subprocess.Popen(
        [sys.executable, "-m", "ktrace", *arguments, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def descendants(pid: int) -> list[int]:
    """Return everything that *pid* has started, directly or not."""
    own = children(pid)
    return [*own, *(below for child in own for below in descendants(child))]


def kept(directory: Path) -> dict[str, int]:
    """Return when each verdict was written."""
    return {str(path): path.stat().st_mtime_ns for path in directory.glob("lab-6.1/*/verdict.json")}


def await_verdicts(directory: Path, count: int, process: subprocess.Popen[str]) -> dict[str, int]:
    """Wait until *count* verdicts of the lab are there."""
    deadline = time.monotonic() + DEADLINE
    while len(found := kept(directory)) < count:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    return found


def test_killed_and_begun_again(image: Image, template: Template, tmp_path: Path) -> None:
    """SIGKILL at two moments: nothing is done twice, nothing is lost, and nothing is left running."""
    directory = tmp_path / "matrix"
    done: dict[str, int] = {}
    for count in (1, 3):
        process = matrix(directory)
        done |= await_verdicts(directory, count, process)
        below = descendants(process.pid)
        assert below
        process.kill()
        process.communicate()
        assert wait_gone(below) == []
        done |= kept(directory)
    process = matrix(directory)
    out, err = process.communicate(timeout=DEADLINE)
    rows = [json.loads(line) for line in out.splitlines()]
    of_lab = {row["workload"]: row for row in rows if row["image"] == "lab-6.1"}
    assert process.returncode == 0, err
    assert {name: row["status"] for name, row in of_lab.items()} == dict.fromkeys(WORKLOADS, "agreed")
    assert sum(row["before"] for row in of_lab.values()) == len(done) >= 3
    assert all(kept(directory)[path] == when for path, when in done.items())
    header = SessionReader(directory / "lab-6.1" / "pipe-basic").header
    assert header.manifest["build_id"] == image.build_id


def test_a_process_that_dies_takes_one_workload_with_it(image: Image, template: Template, tmp_path: Path) -> None:
    """The one who fills cells is killed at the second: the others are filled all the same, and that one next time."""
    directory = tmp_path / "matrix"
    process = matrix(directory)
    await_verdicts(directory, 1, process)
    workers = [pid for pid in children(process.pid) if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()]
    os.kill(workers[-1], signal.SIGKILL)
    out, _ = process.communicate(timeout=DEADLINE)
    rows = [json.loads(line) for line in out.splitlines()]
    died = [row for row in rows if row["status"] == "host"]
    assert [row["exit_code"] for row in died] == [3] and "has died (signal 9)" in died[0]["message"]
    assert process.returncode == 3
    assert sum(row["status"] == "agreed" for row in rows) == len(WORKLOADS) - 1
    process = matrix(directory)
    out, _ = process.communicate(timeout=DEADLINE)
    rows = [row for row in map(json.loads, out.splitlines()) if row["image"] == "lab-6.1"]
    assert {row["status"] for row in rows} == {"agreed"}
    assert [row["workload"] for row in rows if not row["before"]] == [died[0]["workload"]]


def test_a_script_of_ones_own_that_diverges(image: Image, template: Template, tmp_path: Path) -> None:
    """An annotation that is wrong is a divergence; one that is changed makes the cell be done again."""
    script = tmp_path / "own.kt"
    script.write_text('## own\nA: pipe2([r, w], 0)\nA: write(w, "x") # 2\n')
    command = [sys.executable, "-m", "ktrace", "matrix", str(script), "--images", "lab-6.1", "-o", str(tmp_path / "m")]
    for text, code, said in (("# 2", 1, "diverged at 3"), ("# 1", 0, "agreed 3")):
        script.write_text(f'## own\nA: pipe2([r, w], 0)\nA: write(w, "x") {text}\n')
        answer = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
        assert (answer.returncode, said in answer.stdout) == (code, True), answer.stdout + answer.stderr
    assert len(list((tmp_path / "m" / "lab-6.1").glob(f"own-*/{FILE_NAME}"))) == 1
