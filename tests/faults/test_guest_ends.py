"""A guest that panics, freezes, floods its console, or runs out of memory, while actors work in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from time import monotonic

import pytest

from ktrace.errors import GuestError, UsageError
from ktrace.image.image import Image
from ktrace.machine.machine import Machine
from ktrace.machine.template.template import Template
from ktrace.trace.session import FILE_NAME, End
from ktrace.trace.session_reader import SessionReader
from ktrace.trace.session_writer import SessionWriter
from ktrace.verify.lab import KernelCache, Lab
from ktrace.verify.run import run_script
from ktrace.workload.library import load
from ktrace.workload.parser import parse_script
from ktrace.workload.script import Script
from tests.faults.tally import Tally
from tests.guest.poke import put_code

FUNCTIONS = {
    "pipe-basic": ("create_pipe_files", "pipe_read", "pipe_write", "pipe_release"),
    "pipe-poll": ("pipe_poll", "pipe_write", "pipe_release"),
    "sem-basic": ("newary", "do_semtimedop", "freeary"),
    "msg-types": ("newque", "do_msgsnd", "store_msg", "freeque"),
    "unix-stream": ("unix_stream_sendmsg", "unix_stream_read_generic", "unix_release_sock"),
}
"""Workloads, and kernel functions that each comes through, sooner or later.

Nothing may have come through them in this guest before: QEMU does not see that what it translated was changed.
"""

PATIENCE = 3.0
"""Seconds that an answer may take."""

Break = Callable[[Machine, Image, str, Random], Script | None]
"""Breaks a guest, or tells of a script that does."""


def panics(machine: Machine, image: Image, function: str, chance: Random) -> None:
    """Have an invalid instruction in a call, and an oops be a panic."""
    machine.agent.write_file("/proc/sys/kernel/panic_on_oops", b"1")
    put_code(machine, image, function, b"\x0f\x0b" * 4)


def freezes(machine: Machine, image: Image, function: str, chance: Random) -> None:
    """Have a call that never ends: the kernel, which is not preemptible there, does nothing else."""
    put_code(machine, image, function, b"\xfa\xeb\xfe")  # cli; jmp .


def floods(machine: Machine, image: Image, function: str, chance: Random) -> None:
    """Write more to the console than it can take in the time there is."""
    machine.agent.write_file("/proc/sys/kernel/printk", b"8 8 8 8")
    machine.agent.write_file("/proc/sys/kernel/printk_devkmsg", b"on\n")
    line = b"<0>" + b"flood " * 150 + b"\n"
    for _ in range(chance.randrange(200, 400)):
        machine.agent.write_file("/dev/kmsg", line)


def runs_out_of_memory(machine: Machine, image: Image, function: str, chance: Random) -> Script:
    """Have an actor take memory until there is none, in pieces, from another address each time."""
    start, piece = chance.randrange(0x2000, 0x8000) << 16, chance.randrange(10_000, 60_000)
    machine.agent.write_file("/proc/sys/vm/overcommit_memory", b"1")
    flags = "MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED|MAP_NORESERVE"
    eats = f"""## eats: memory until there is none
A: mmap({start:#x}, {2 * machine.spec.memory_mib << 20}, PROT_READ|PROT_WRITE, {flags})
repeat {2 * (machine.spec.memory_mib << 20) // piece} as i {{
A: store({start:#x} + i * {piece}, "x" * {piece})
}}
"""
    return parse_script(eats, "eats.kt")


FAULTS: dict[str, tuple[int, Break]] = {
    "a guest panics": (25, panics),
    "a guest freezes": (10, freezes),
    "a guest floods its console": (10, floods),
    "a guest runs out of memory": (10, runs_out_of_memory),
}


@pytest.mark.timeout(2400)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_guest_ends(
    fault: str, template: Template, image: Image, kernels: KernelCache, tally: Tally, tmp_path: Path
) -> None:
    row = tally.row(fault)
    count, break_it = FAULTS[fault]
    chance = Random(fault)
    sessions = 0
    for number in range(tally.times(count)):
        place = tmp_path / f"session{number}"
        place.mkdir()
        began = monotonic()
        end = ended(template, image, kernels, place, break_it, chance)
        row.count(end, monotonic() - began)
        sessions += readable(place)
    assert set(row.ends) <= {"agreed", "out of memory, said so (2)", "GuestPanic", "GuestHang", "GuestDied"}
    assert sessions > 0, row
    if fault == "a guest panics":
        assert set(row.ends) == {"GuestPanic"}
    if fault == "a guest freezes":
        assert set(row.ends) == {"GuestHang"}
    if fault == "a guest floods its console":
        assert set(row.ends) == {"agreed"}
    if fault == "a guest runs out of memory":
        assert "agreed" not in row.ends


def readable(place: Path) -> bool:
    """Read a session from end to end; tell whether it had begun."""
    if not (place / FILE_NAME).read_bytes().startswith(b'{"ktrace_session"'):
        return False
    list(SessionReader(place).events())
    return True


def ended(template: Template, image: Image, kernels: KernelCache, place: Path, break_it: Break, chance: Random) -> str:
    """Run a workload in a guest that is broken, and tell how that ends."""
    workload = chance.choice(list(FUNCTIONS))
    function = chance.choice(FUNCTIONS[workload])
    with Machine.clone(template, directory=place / "machine") as machine:
        machine.agent._timeout = PATIENCE
        lab = Lab(machine, image.vmlinux, kernels)
        with SessionWriter(place) as writer:
            try:
                script = break_it(machine, image, function, chance) or load(workload)
                return run_script(script, lab, writer, {}).status
            except UsageError as error:
                assert "the guest has run out of memory" in str(error)
                writer.end(End(error.blame, 0, 0, 0, str(error)))
                return "out of memory, said so (2)"
            except GuestError as error:
                writer.end(End(error.blame, 0, 0, 0, str(error)))
                return type(error).__name__
