"""Boot, clone, poke, pause, save and go back: with real guests."""

from __future__ import annotations

import gc
import mmap
import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from ktrace.errors import GuestFileError, UsageError
from ktrace.image.image import Image
from ktrace.machine.machine import Machine
from ktrace.machine.template.template import Template, open_template

MARKER = b"ktrace test marker: poke the letter here -> A <- it is in the page cache" + b"." * 4000


def test_a_booted_guest_answers_and_its_console_is_kept(image: Image, tmp_path: Path) -> None:
    with Machine.boot(image, directory=tmp_path / "machine") as machine:
        assert machine.hello.build_id.hex() == image.build_id
        assert machine.memory.size == 64 << 20
        assert machine.template is None
        assert machine.spec.accel == "tcg"
    assert "ktrace-agent: ready" in (tmp_path / "machine" / "console.log").read_text()


def test_the_clock_of_a_guest_is_its_counter(machine: Machine) -> None:
    """Without it timers have steps of 4 ms, and the tick never stops."""
    source = machine.agent.read_file("/sys/devices/system/clocksource/clocksource0/current_clocksource")
    assert source.strip() == b"tsc"


def test_clones_start_equal_and_go_their_own_ways(template: Template, tmp_path: Path) -> None:
    with (
        Machine.clone(template, directory=tmp_path / "a") as a,
        Machine.clone(template, directory=tmp_path / "b") as b,
    ):
        assert a.hello.boot_id == b.hello.boot_id
        a.agent.write_file("/tmp/which", b"a", create=True)
        b.agent.write_file("/tmp/which", b"b", create=True)
        assert a.agent.read_file("/tmp/which") == b"a"
        assert b.agent.read_file("/tmp/which") == b"b"


def test_a_clones_console_begins_with_the_boot(machine: Machine, tmp_path: Path) -> None:
    assert "ktrace-agent: ready" in machine.console.text
    machine.agent.write_file("/dev/kmsg", b"<2>said by the test\n")
    assert machine.console.text.endswith("said by the test\n")
    saved = machine.checkpoint(tmp_path / "saved")
    with Machine.clone(saved, directory=tmp_path / "clone") as clone:
        assert clone.console.text == machine.console.text


def test_a_clone_leaves_its_template_as_it_was(template: Template, tmp_path: Path) -> None:
    before = template.ram.stat().st_mtime_ns
    with Machine.clone(template, directory=tmp_path / "a") as a:
        a.agent.write_file("/tmp/mine", b"x", create=True)
    with Machine.clone(template, directory=tmp_path / "b") as b:
        assert b"mine" not in b.agent.read_file("/proc/self/mountinfo")
        with pytest.raises(GuestFileError, match="No such file"):
            b.agent.read_file("/tmp/mine")
    assert template.ram.stat().st_mtime_ns == before


def test_what_is_poked_into_memory_is_seen_by_the_guest(machine: Machine) -> None:
    machine.agent.write_file("/tmp/marked", MARKER, create=True)
    place = next(
        page
        for page in range(0, machine.memory.size, mmap.PAGESIZE)
        if machine.memory.read(page, len(MARKER)) == MARKER and page % mmap.PAGESIZE == 0
    )
    letter = place + MARKER.index(b"A")
    machine.memory.write(letter, b"B")
    assert machine.agent.read_file("/tmp/marked") == MARKER.replace(b"A", b"B")
    assert machine.memory.view[letter : letter + 1] == b"B"


def test_memory_ends_where_the_ram_ends(machine: Machine) -> None:
    with pytest.raises(ValueError, match="are not in 64 MiB"):
        machine.memory.read((64 << 20) - 4, 8)
    with pytest.raises(ValueError, match="are not in 64 MiB"):
        machine.memory.read(-8, 4)
    with pytest.raises(ValueError, match="are not in 64 MiB"):
        machine.memory.write(64 << 20, b"x")


def test_a_paused_guest_stands_still_and_goes_on(machine: Machine) -> None:
    machine.pause()
    assert machine.paused
    assert machine.command("query-status")["status"] == "paused"
    machine.resume()
    assert not machine.paused
    assert machine.agent.hello().boot_id == machine.hello.boot_id


def test_going_back_to_a_checkpoint(machine: Machine, tmp_path: Path) -> None:
    machine.agent.write_file("/tmp/early", b"1", create=True)
    template = machine.checkpoint(tmp_path / "saved")
    machine.agent.write_file("/tmp/late", b"1", create=True)
    assert machine.agent.read_file("/tmp/late") == b"1"
    for number in range(2):
        with Machine.clone(open_template(template.directory), directory=tmp_path / str(number)) as back:
            assert back.agent.read_file("/tmp/early") == b"1"
            with pytest.raises(GuestFileError, match="No such file"):
                back.agent.read_file("/tmp/late")
            assert back.template == template


def test_a_checkpoint_of_a_paused_guest_leaves_it_paused_and_clones_run(machine: Machine, tmp_path: Path) -> None:
    machine.pause()
    first = machine.checkpoint(tmp_path / "first")
    second = machine.checkpoint(tmp_path / "second")
    assert machine.paused
    assert first.ram.read_bytes() == second.ram.read_bytes()
    machine.resume()
    machine.agent.hello()
    with Machine.clone(second, directory=tmp_path / "clone") as clone:
        # and a checkpoint of a clone can be cloned again
        third = clone.checkpoint(tmp_path / "third")
    with Machine.clone(third, directory=tmp_path / "again") as again:
        assert again.hello.boot_id == machine.hello.boot_id


def test_a_closed_machine_leaves_no_descriptor(template: Template, tmp_path: Path) -> None:
    with Machine.clone(template, directory=tmp_path / "first"):
        pass
    gc.collect()  # what tests before this one left is not to go meanwhile
    before = os.listdir("/proc/self/fd")
    for number in range(3):
        with Machine.clone(template, directory=tmp_path / str(number), monitor=True) as machine:
            machine.checkpoint(tmp_path / f"saved{number}")
    gc.collect()
    assert os.listdir("/proc/self/fd") == before


def test_a_kernel_that_vmlinux_does_not_describe_is_refused(template: Template, tmp_path: Path) -> None:
    other = replace(template, spec=replace(template.spec, build_id="00" * 20))
    with pytest.raises(UsageError) as caught:
        Machine.clone(other, directory=tmp_path / "machine")
    assert template.spec.build_id in caught.value.message
    assert "00" * 20 in caught.value.message


def test_guest_memory_has_no_name_that_could_be_left_behind(machine: Machine) -> None:
    maps = Path(f"/proc/{machine.pid}/maps").read_text()
    assert "/memfd:ktrace-ram (deleted)" in maps
    assert "/dev/shm" not in maps


def test_other_programs_can_speak_qmp_over_a_private_socket(template: Template, tmp_path: Path) -> None:
    with Machine.clone(template, directory=tmp_path / "machine", monitor=True) as machine:
        path = machine.monitor_path
        assert path is not None
        assert path.parent.stat().st_mode & 0o777 == 0o700
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(path))
            assert b'"QMP"' in connection.recv(4096)
    assert not path.exists()
