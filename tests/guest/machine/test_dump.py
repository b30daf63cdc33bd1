"""A vmcore that ktrace wrote, opened by drgn, by crash, and by ktrace again."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import drgn
import pytest
from click.testing import CliRunner
from drgn.helpers.linux.pid import find_task, for_each_task

from ktrace.cli.dump import dump
from ktrace.errors import UsageError
from ktrace.image.image import Image
from ktrace.machine.vmcore import Vmcore
from ktrace.state.process.process import Process
from ktrace.state.ref import Ref
from ktrace.state.world import World
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.guests import prepare_guests
from ktrace.verify.options import GuestOptions, SessionOptions
from ktrace.verify.sessions import run_session
from ktrace.verify.targets import open_target
from ktrace.workload.parser import parse_script
from tests.sinks import Record

SCRIPT = """## dumped
A: pipe2([r, w], 0)
A: write(w, "payload")
A: semget(IPC_PRIVATE, 2, 0600) -> s
A: semctl(s, 0, SETALL, [3, 4])
A: close(r)
"""
STEP = 5
"""Before the last."""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World]:
    """A vmcore of a session's step, and the World that the session has of it."""
    place = tmp_path_factory.mktemp("dump")
    guests = prepare_guests(GuestOptions())
    run_session(guests, parse_script(SCRIPT, "dumped"), Record(), SessionOptions(place / "session"))
    result = CliRunner().invoke(dump, [str(place / "session"), str(STEP), "-o", str(place / "vmcore")])
    assert result.exception is None, result.output
    (step,) = [step for step in SessionReader(place / "session").steps() if step.number == STEP]
    return place / "vmcore", step.world


def test_drgn_opens_it(recorded: tuple[Path, World], image: Image) -> None:
    path, world = recorded
    prog = drgn.Program()
    prog.set_core_dump(str(path))
    prog.load_debug_info([str(image.vmlinux)])
    process = world.objects[Ref("process", "A")]
    assert isinstance(process, Process)
    task = find_task(prog, process.pid)
    assert task.comm.string_() == b"actor-0"
    assert b"swapper/0" not in {task.comm.string_() for task in for_each_task(prog)}
    pipe = task.files.fdt.fd[1].private_data
    pipe = drgn.Object(prog, "struct pipe_inode_info *", value=pipe)
    assert (pipe.head.value_(), pipe.tail.value_(), pipe.bufs[0].len.value_()) == (1, 0, 7)
    names = [frame.name for frame in prog.stack_trace(task)]
    assert "futex_wait" in names


def test_our_readers_open_it(recorded: tuple[Path, World]) -> None:
    path, world = recorded
    with open_target(str(path), GuestOptions()) as inspection:
        assert inspection.look().objects.keys() == world.objects.keys()
        kernel = inspection.inspector.kernel
        (sem,) = inspection.look().of_kind("sem").values()
    assert [item.semval for item in sem.sems] == [3, 4]
    notes = Vmcore(path).notes
    assert kernel.symbol(notes.registers["rip"]) != f"{notes.registers['rip']:#x}"


def test_crash_opens_it(recorded: tuple[Path, World], image: Image) -> None:
    if shutil.which("crash") is None:
        pytest.skip("crash is not installed: apt-get install crash")
    commands = "ipcs -s\nstruct sem_array.sem_nsems\nquit\n"
    done = subprocess.run(
        ["crash", "-s", str(image.vmlinux), str(recorded[0])],
        input=commands,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    row = next(line.split() for line in done.stdout.splitlines() if line.startswith("ffff8880"))
    assert row[-3:] == ["0", "600", "2"]


def test_what_is_no_vmcore_is_refused(tmp_path: Path, image: Image) -> None:
    (tmp_path / "short").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x04\0" + bytes(60))
    with pytest.raises(UsageError, match="has no VMCOREINFO"), open_target(str(tmp_path / "short"), GuestOptions()):
        pass
    with pytest.raises(UsageError, match="cannot read"):
        Vmcore(tmp_path / "absent")
