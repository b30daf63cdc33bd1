"""The pytest plugin on live guests: what fails keeps its session, and runs in every way that pytest has."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from ktrace.image.store import open_store
from ktrace.library.prepared import private_directory
from ktrace.machine.template.template import Template
from ktrace.trace.session_reader import SessionReader
from tests.unit.testing.pytests import command, run

TESTS = """
import pytest

import ktrace

made = []


def pair(lab):
    made.append(lab)
    a, b = lab.spawn(), lab.spawn()
    return {"actors": [a, b], "pipe": tuple(a.pipe2(0))}


def test_passes(lab):
    a = lab.spawn()
    r, w = a.pipe2(0)
    a.write(w, b"x" * 60)
    assert lab.pipe(w).bufs[0].len == 60


def test_fails(lab):
    a = lab.spawn()
    r, w = a.pipe2(0)
    a.write(w, b"x" * 60)
    assert lab.pipe(w).bufs[0].len == 61


def test_guest_dies(lab):
    lab._guest.machine.kill()
    lab.spawn()


@pytest.mark.ktrace(prepare=pair)
@pytest.mark.parametrize("size", [1, 4096])
def test_prepared(prepared_lab, lab, size):
    a, b = prepared_lab.prepared["actors"]
    r, w = prepared_lab.prepared["pipe"]
    assert a.write(w, b"x" * size).value == size and b.read(r, 1).errno == "EBADF"
    assert made == made[:1] and not lab.actors


@pytest.mark.ktrace(functions=True)
class TestFunctions:
    def test_functions(self, lab):
        assert "do_pipe2" in lab.spawn().pipe2(0).functions.functions("A")

    @pytest.mark.ktrace(functions=False, checked=False)
    def test_none(self, lab):
        assert lab.spawn().pipe2(0).functions is None
"""
PAGE = Path(__file__).parents[3] / "docs" / "pytest.md"
AGREES = '## agrees: a byte in a pipe\nA: pipe2([r, w], 0)    # 0\nA: write(w, "x")       # 1\n'
SAYS_OTHERWISE = '## otherwise: a byte in a pipe\nA: pipe2([r, w], 0)    # 0\nA: write(w, "x")       # 2\n'


@pytest.fixture
def project(tmp_path: Path, template: Template) -> Path:
    """A directory of tests and scripts."""
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "agrees.kt").write_text(AGREES)
    (tmp_path / "otherwise.kt").write_text(SAYS_OTHERWISE)
    return tmp_path


def sessions(text: str) -> list[Path]:
    """Return the sessions that a run says it has kept."""
    return [Path(place) for place in dict.fromkeys(re.findall(r"session (/\S+)", text))]


def test_what_fails_keeps_its_session_and_prints_where(project: Path) -> None:
    done = run(project, "--junitxml", "junit.xml")
    assert "3 failed, 6 passed" in done.stdout, done.stdout
    otherwise, fails, dies = sessions(done.stdout)
    try:
        assert [step.call.name for step in SessionReader(fails).steps()] == ["spawn", "pipe2", "write"]
        assert 'otherwise.kt:3: divergence at step 3: A: write(1, "x", 1) = 1' in done.stdout
        assert "expected 2, got 1" in done.stdout
        assert re.search(r"pipe1 +head 0→1, bufs\[0\] \{page page1", done.stdout), "what the last steps changed"
        assert SessionReader(otherwise).header.title == "a byte in a pipe"
        assert "GuestDied: QEMU was ended by SIGKILL" in done.stdout and "end of the guest's console" in done.stdout
        assert len(list(open_store().root.glob("sessions/*test-passes*"))) == 0
    finally:
        for place in (otherwise, fails, dies):
            shutil.rmtree(place)
    cases = {case.get("name"): case for case in ET.parse(project / "junit.xml").iter("testcase")}
    assert cases.keys() >= {"agrees", "otherwise", "test_prepared[4096]"}
    assert [name for name, case in cases.items() if case.find("failure") is not None] == [
        "otherwise",
        "test_fails",
        "test_guest_dies",
    ]
    assert all(float(case.get("time", "0")) > 0 for case in cases.values())


def test_what_failed_in_a_checkpoint_is_what_is_told(project: Path) -> None:
    (project / "test_it.py").write_text(
        "def test_inside(lab):\n    a = lab.spawn()\n    r, w = a.pipe2(0)\n    with lab.checkpoint():\n"
        "        with lab.checkpoint():\n            a.write(w, b'inside')\n            assert lab.pipe(w).head == 2\n"
    )
    done = run(project, "-k", "inside")
    kept = sessions(done.stdout)
    try:
        assert re.search(r'3 A  write\(1, "inside", 6\) = 6\n.*\n +pipe1 +head 0→1', done.stdout), done.stdout
        assert kept[0].name == "left-2"
        assert [step.call.name for step in SessionReader(kept[0]).steps()] == ["spawn", "pipe2", "write"]
    finally:
        shutil.rmtree(kept[0].parent)


def test_a_script_without_a_title_is_run_where_it_is_named(project: Path) -> None:
    (project / "plain.kt").write_text("A: pipe2([r, w], 0)    # 0\n")
    assert (
        "no tests collected" in run(project, "-k", "plain").stdout or "deselected" in run(project, "-k", "plain").stdout
    )
    assert "1 passed" in run(project, "plain.kt").stdout
    (project / "Main.kt").write_text("fun main() {}\n")
    named = run(project, "Main.kt")
    assert named.returncode and "Main.kt:1:1" in named.stdout, named.stdout


def test_the_examples_of_the_page_pass(tmp_path: Path, template: Template) -> None:
    examples = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(examples) >= 3
    (tmp_path / "test_page.py").write_text("\n".join(examples))
    done = run(tmp_path, "--strict-markers", "--ktrace-require", "-p", "no:cacheprovider")
    assert "4 passed" in done.stdout, done.stdout


def test_it_runs_in_several_processes_and_images(project: Path) -> None:
    images = "ktrace_image=lab-6.1,lab-0"
    done = run(project, "-n", "2", "-o", images, "-k", "passes or agrees or prepared")
    assert "4 passed, 4 skipped" in done.stdout, done.stdout
    assert not list(open_store().root.glob("tmp/prepared-*"))


def test_nothing_is_left_of_a_run_that_is_killed(project: Path) -> None:
    (project / "test_it.py").write_text(
        TESTS + "\n\n@pytest.mark.ktrace(prepare=pair)\ndef test_endless(prepared_lab):\n"
        "    print('QEMU', prepared_lab._guest.machine.pid, prepared_lab.session, flush=True)\n    input()\n"
    )
    owner = subprocess.Popen(
        command("-s", "-k", "endless"), cwd=project, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    line = next(line for line in owner.stdout if "QEMU" in line).split("QEMU ")[1].split()
    qemu, place = os.pidfd_open(int(line[0])), Path(line[1])
    try:
        owner.kill()
        owner.wait()
        assert select.select([qemu], [], [], 20)[0], "QEMU lives on"
    finally:
        os.close(qemu)
        owner.stdin.close()
        owner.stdout.close()
        shutil.rmtree(place)
    left = set(open_store().root.glob(f"tmp/prepared-{owner.pid}-*"))
    assert left and left <= set(open_store().remove_stale())
    assert list(open_store().root.glob(f"locks/prepared-{owner.pid}-*"))
    with private_directory():
        assert not list(open_store().root.glob(f"locks/prepared-{owner.pid}-*"))
