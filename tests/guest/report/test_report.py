"""Sessions of live guests as people and tools look at them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from junitparser import JUnitXml
from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace

from ktrace.image.image import Image
from ktrace.inspect.trace.source_lines import places
from ktrace.machine.template.template import Template
from ktrace.trace.session import Header
from ktrace.trace.session_reader import SessionReader
from ktrace.trace.session_writer import SessionWriter
from ktrace.verify.lab import Lab
from ktrace.verify.run import perform_script
from ktrace.workload.parser import parse_script


def ktrace(*arguments: str | Path) -> str:
    """Run the command and return what it printed, then what it said beside that."""
    command = [sys.executable, "-m", "ktrace", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def session(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session of a blocked writer, with the functions that every step went through."""
    directory = tmp_path_factory.mktemp("session")
    ktrace("run", "pipe-full", "--functions", "-q", "--session", directory, "--report", directory / "page.html")
    return directory


def test_pictures_in_the_terminal(session: Path) -> None:
    text = ktrace("show", "-v", session)
    assert "waiting to write: B (exclusive)" in text
    assert "│4096│4096│4096│4096│" in text


def test_inspect_draws_above_the_members(template: Template) -> None:
    text = ktrace("inspect", "pipes", "pipe-full:23")
    picture, _, members = text.partition("\npipe1\n")
    assert "16 of 16 slots in use, 65536 bytes" in picture
    assert "ring_size       16" in members
    assert "slots in use" not in ktrace("inspect", "--no-picture", "pipes", "pipe-full:3")


def test_a_report_names_the_source(session: Path, tmp_path: Path) -> None:
    assert (session / "page.html").read_text().startswith("<!doctype html>")
    out = ktrace("report", session, "-o", tmp_path / "report.html")
    assert "33 steps" in out
    assert (tmp_path / "report.html").stat().st_size < 500_000


def test_functions_have_places(image: Image) -> None:
    found = places(image.vmlinux, ["pipe_write", "do_semtimedop", "ksys_semctl", "no_such_function"])
    assert found["pipe_write"].startswith("fs/pipe.c:")
    assert found["do_semtimedop"].startswith("ipc/sem.c:")
    assert found["ksys_semctl"].startswith("ipc/sem.c:")  # whose symbol is ksys_semctl.constprop.0
    assert len(found) == 3


def test_every_export(session: Path, tmp_path: Path) -> None:
    for form in ("perfetto", "chrome", "ftrace", "ktap", "junit", "csv"):
        ktrace("export", session, "--format", form, "-o", tmp_path / form)
    trace = Trace()
    trace.ParseFromString((tmp_path / "perfetto").read_bytes())
    names = {packet.track_event.name for packet in trace.packet}
    assert {"write", "pipe_write"} <= names
    events = json.loads((tmp_path / "chrome").read_text())["traceEvents"]
    assert {event["ph"] for event in events} == {"M", "B", "E", "C"}
    assert "|pipe_write" in (tmp_path / "ftrace").read_text()
    assert (tmp_path / "ktap").read_text().count("\n  ok ") == 33
    assert next(iter(JUnitXml.fromfile(str(tmp_path / "junit")))).tests == 33
    assert "pipe1,head,0,1" in (tmp_path / "csv").read_text()


def test_a_workload_waits_for_the_person(template: Template) -> None:
    command = [sys.executable, "-m", "ktrace", "watch", "pipe-basic"]
    child = pexpect.spawn(command[0], command[1:], dimensions=(40, 110), timeout=60, encoding="utf-8")
    child.expect_exact("spawn(A)")
    child.send("     ")
    child.expect_exact("1 of 16 slots")
    child.send("e")
    child.expect_exact("agreed: the end of the session")
    child.send("q")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_what_the_kernel_prints_stands_in_its_step(lab: Lab, tmp_path: Path) -> None:
    text = """\
A: mknod("/tmp/kmsg", S_IFCHR|0600, 0x10b)
A: open("/tmp/kmsg", O_WRONLY) -> k
A: write(k, "<3>a word\\nand one more\\n")
A: close(k)
"""
    with SessionWriter(tmp_path) as writer:
        writer.header(Header("kmsg", {}, {}, lab.look()))
        for step, _ in perform_script(parse_script(text, "kmsg"), lab):
            writer.step(step)
    steps = list(SessionReader(tmp_path).steps())
    said = {step.call.name: [line.rpartition("] ")[2] for line in step.console] for step in steps if step.console}
    assert said == {"write": ["a word", "and one more"]}
    moments = [moment for step in steps for moment in step.host]
    assert moments == sorted(moments)
    assert moments[0] >= 0
