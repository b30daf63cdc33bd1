"""The command line as a person meets it: right answers, one clear error, nothing left behind."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic

import pytest

from ktrace.image.image import Image
from ktrace.machine.template.template import Template
from ktrace.trace.session import FILE_NAME

ENDLESS = '## endless\nA: pipe2([r, w], 0)\nrepeat 100000 {\n    A: write(w, "x")\n    A: read(r, 1)\n}\n'


def ktrace(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command and wait for its end."""
    return subprocess.run(
        [sys.executable, "-m", "ktrace", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
        check=False,
    )


def children(pid: int) -> list[int]:
    """Return the processes whose parent is *pid*."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == pid:
            found.append(int(path.parent.name))
    return found


def wait_gone(pids: list[int], seconds: float = 10) -> list[int]:
    """Wait until the processes are gone; return those that are not."""
    descriptors = {}
    for pid in pids:
        try:
            descriptors[pid] = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
    deadline = monotonic() + seconds
    left = []
    for pid, descriptor in descriptors.items():
        if not select.select([descriptor], [], [], max(0, deadline - monotonic()))[0]:
            left.append(pid)
        os.close(descriptor)
    return left


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A workload that takes longer than any test."""
    path = tmp_path / "endless.kt"
    path.write_text(ENDLESS)
    return path


def test_run_show_and_check(template: Template, tmp_path: Path) -> None:
    session = tmp_path / "session"
    done = ktrace("run", "pipe-basic", "--session", str(session))
    assert done.returncode == 0, done.stderr
    assert "head 0→1" in done.stdout
    assert "agreed: " in done.stdout
    shown = ktrace("show", str(session))
    assert (shown.returncode, shown.stdout) == (0, done.stdout)
    checked = ktrace("check", str(session))
    assert checked.returncode == 0
    assert "agreed: " in checked.stdout
    assert session.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o077 for path in session.iterdir()} == {0}


def test_json_is_data(template: Template, tmp_path: Path) -> None:
    done = ktrace("run", "pipe-basic", "--json", "--session", str(tmp_path / "session"))
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[0]["event"] == "start"
    assert events[-1]["event"] == "end"
    assert events[-1]["status"] == "agreed"
    write = next(event for event in events if event.get("call") == "write")
    assert {"object": "pipe1", "field": "head", "before": 0, "after": 1} in write["changes"]


def test_a_changed_trace_diverges(template: Template, tmp_path: Path) -> None:
    session = tmp_path / "session"
    assert ktrace("run", "pipe-basic", "-q", "--session", str(session)).returncode == 0
    path = session / FILE_NAME
    text = path.read_text()
    assert text.count('"r_counter":1,') >= 1
    path.write_text(text.replace('"r_counter":1,', '"r_counter":7,', 1))
    checked = ktrace("check", str(session))
    assert checked.returncode == 1
    assert "pipe1.r_counter" in checked.stdout
    assert "observed 7" in checked.stdout
    assert "alloc_pipe_info()" in checked.stdout


def test_a_session_cut_off_still_shows(template: Template, tmp_path: Path) -> None:
    session = tmp_path / "session"
    assert ktrace("run", "pipe-basic", "-q", "--session", str(session)).returncode == 0
    path = session / FILE_NAME
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    shown = ktrace("show", str(session))
    assert shown.returncode == 2
    assert "cut off" in shown.stderr
    checked = ktrace("check", str(session))
    assert checked.returncode == 2
    assert "cut off: " in checked.stdout


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("## x\nA: pipe2([r, w], 0\n", "3:1", "')'"),
        ("## x\nA: pipo([r, w], 0)\n", "2:4", "pipo"),
        ("## x\nA: pipe2([r, w], 0)  # sideways\n", "2:", "sideways"),
        ("## x\nA: read(nowhere, 1)\n", "2:9", "nowhere"),
    ],
)
def test_a_malformed_script_is_named_by_line_and_column(tmp_path: Path, text: str, place: str, message: str) -> None:
    path = tmp_path / "bad.kt"
    path.write_text(text)
    done = ktrace("run", str(path))
    assert done.returncode == 2
    assert f"bad.kt:{place}" in done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run", "pipe-basik"], 2, "pipe-basic"),
        (["run"], 2, "which workload"),
        (["run", "/nowhere.kt"], 2, "/nowhere.kt"),
        (["run", "pipe-basic", "--image", "nowhere"], 2, "nowhere"),
        (["show", "/nowhere"], 2, "/nowhere"),
        (["check", "/dev/null"], 2, "not a ktrace session"),
        (["inspect", "pipes", "/tmp"], 2, "no running guest"),
        (["inspect", "pipes", "pipe-basic:999"], 2, "999"),
        (["nonsense"], 2, "nonsense"),
        (["run", "--nonsense"], 2, "nonsense"),
    ],
)
def test_a_users_mistake_is_one_clear_error(template: Template, arguments: list[str], code: int, message: str) -> None:
    done = ktrace(*arguments)
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_no_qemu_is_the_hosts_fault(template: Template, tmp_path: Path) -> None:
    bare = tmp_path / "bin"
    bare.mkdir()
    for tool in ("gcc", "ld", "make", "setpriv", "xz"):
        if (found := shutil.which(tool)) is not None:
            (bare / tool).symlink_to(found)
    done = ktrace("run", "pipe-basic", PATH=str(bare))
    assert done.returncode == 3
    assert "qemu-system-x86" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_store_that_cannot_be_written_is_the_hosts_fault() -> None:
    done = ktrace("run", "pipe-basic", XDG_CACHE_HOME="/proc/nowhere")
    assert done.returncode == 3
    assert "/proc/nowhere" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_leaves_is_no_error(template: Template, script: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "ktrace", "run", str(script), "--session", str(tmp_path / "session")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    guests = children(process.pid)
    process.stdout.close()
    with process.stderr as errors:
        assert process.wait(timeout=30) == 141
        assert b"Traceback" not in errors.read()
    assert wait_gone(guests) == []


@pytest.mark.parametrize("lines", [0, 1, 2, 5, 50])
def test_ctrl_c_at_any_moment_leaves_nothing(template: Template, script: Path, tmp_path: Path, lines: int) -> None:
    session = tmp_path / "session"
    process = subprocess.Popen(
        [sys.executable, "-m", "ktrace", "run", str(script), "--session", str(session)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    for _ in range(lines):
        process.stdout.readline()
    deadline = monotonic() + 30
    while not session.exists() and monotonic() < deadline:
        select.select([], [], [], 0.001)  # the guest is being made
    guests = children(process.pid)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Traceback" not in errors
    assert wait_gone(guests) == []
    if lines:
        shown = ktrace("show", str(session))
        assert shown.returncode == 2
        assert "interrupted" in shown.stdout
        checked = ktrace("check", str(session))
        assert checked.returncode == 2
        assert "did not come to an end: interrupted" in checked.stdout


def test_two_runs_at_once_do_not_disturb_each_other(template: Template, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ktrace", "run", "sem-order", "-q", "--session"]
    runs = [
        subprocess.Popen([*command, str(tmp_path / name)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for name in ("one", "two")
    ]
    for process in runs:
        out, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, b"")
        assert b"agreed" in out


def test_a_held_guest_can_be_inspected_from_outside(template: Template, image: Image, tmp_path: Path) -> None:
    session = tmp_path / "session"
    process = subprocess.Popen(
        [sys.executable, "-m", "ktrace", "run", "pipe-full", "-q", "--hold", "--session", str(session)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None and process.stdin is not None
    assert "holding" in process.stderr.readline()
    inspected = ktrace("inspect", "pipes", str(session))
    assert inspected.returncode == 0, inspected.stderr
    assert "ring_size" in inspected.stdout
    data = json.loads(ktrace("inspect", "all", str(session), "--json").stdout)
    assert any(key.startswith("pipe:") for key in data)
    asked = ktrace("shell", str(session), "-c", "print(task('A').comm.string_().decode(), len(look()))")
    assert asked.stdout.startswith("actor-0 "), asked.stderr
    failed = ktrace("shell", str(session), "-c", "look()\n1 / 0")
    assert failed.returncode == 2
    assert failed.stderr == "ktrace (usage): ZeroDivisionError: division by zero, line 2 of the code\n"
    _, errors = process.communicate("\n", timeout=30)
    assert process.returncode == 0, errors
    again = ktrace("inspect", "pipes", str(session))
    assert again.returncode == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_guest_is_held_where_nobody_can_press_enter(
    template: Template, tmp_path: Path, number: signal.Signals
) -> None:
    session = tmp_path / "session"
    process = subprocess.Popen(
        [sys.executable, "-m", "ktrace", "run", "pipe-full", "-q", "--hold", "--session", str(session)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert f"kill {process.pid} ends it" in process.stderr.readline()
    guests = children(process.pid)
    assert ktrace("inspect", "pipes", str(session)).returncode == 0  # long after the end of its input
    assert process.poll() is None
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors.strip()) == (0, "")
    assert wait_gone(guests) == []


def test_inspect_takes_a_workload_to_a_step(template: Template) -> None:
    done = ktrace("inspect", "pipes", "pipe-basic:2")
    assert done.returncode == 0, done.stderr
    assert "pipe1" in done.stdout
