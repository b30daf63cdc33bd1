"""A program of this machine in a fresh guest, and what its kernel looks like afterwards."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from ktrace.agent.command import Command, OnOutput
from ktrace.agent.ops import Wait
from ktrace.agent.piped_command import DidNotEnd, run_piped
from ktrace.image.footprint import enough_mib, next_size
from ktrace.image.image import Image, find_image
from ktrace.image.store import host_errors
from ktrace.inspect.census import Census, take_census
from ktrace.inspect.invariants.all import validate
from ktrace.inspect.invariants.violation import Violation
from ktrace.machine.baggage.entries import Baggage
from ktrace.machine.baggage.unpack import unpack
from ktrace.machine.machine import Machine
from ktrace.verify.guests import Guests
from ktrace.verify.lab import Lab
from ktrace.verify.options import GuestOptions

CHECKED = ("pipe", "socket", "msg", "sem", "shm")
LOOKS = 3
LOOK_AGAIN_NS = 20_000_000
ROOM = 3
"""times as much memory as what is brought takes: tmpfs has half of all, and programs run beside it"""


@dataclass(frozen=True)
class ProgramEnd:
    """How a program ended, and what the kernel looked like then.

    :param status: wait status
    :param violations: what contradicts itself
    :param checked: how much was checked, in words; empty where nothing was
    :param left: what has come since before the program, a kind at a time
    :param killed: whom the kernel killed because its memory was used up, and what helps; ``""``: nobody
    """

    status: int
    violations: tuple[Violation, ...] = ()
    checked: str = ""
    left: tuple[str, ...] = ()
    killed: str = ""


def with_room(options: GuestOptions, baggage: Baggage) -> GuestOptions:
    """Return *options* with as much memory as *baggage* asks for, unless they name some.

    :raises UsageError: there is no such image
    :raises HostError: it is not built, or cannot be read
    """
    if options.memory_mib is not None:
        return options
    image = find_image(options.image)
    with host_errors("read", image.kernel):
        enough = enough_mib(image.kernel, image.initramfs, ROOM * baggage.memory)
    return options if enough <= image.memory_mib else replace(options, memory_mib=enough)


def bring(image: Image, machine: Machine, baggage: Baggage) -> None:
    """Copy *baggage* into the guest *machine*, and the configuration of its kernel to where programs look for it.

    :raises UsageError: the guest has no room for it
    :raises HostError: a file cannot be read
    """
    if image.config is not None:
        baggage.add_tree(str(image.config), f"/boot/config-{machine.hello.release}")
    unpack(machine.agent, machine.memory, baggage)


def run_program(
    guests: Guests, baggage: Baggage, command: Command, given: int | None, check: bool, tell: OnOutput
) -> ProgramEnd:
    """Run *command* in a fresh guest.

    :param baggage: files of this machine that it needs
    :param given: descriptor of what it reads on standard input; ``None``: nothing
    :param check: check the kernel's structures when it has ended
    :param tell: told its output as it comes
    :raises GuestPanic: the guest's kernel has panicked
    :raises UsageError: the guest has no room for what it needs
    :raises HostError: it contradicts itself because its template is damaged
    """
    with (
        TemporaryDirectory(prefix="ktrace-exec-") as scratch,
        guests.lab(Path(scratch)) as (lab, machine),
    ):
        bring(guests.image, machine, baggage)
        before = take_census(lab.kernel) if check else None
        try:
            status = run_piped(machine.agent, command, given, tell)
        except DidNotEnd as error:
            error.hint = _killed(machine) or error.hint
            raise
        killed = _killed(machine)
        if before is None:
            return ProgramEnd(status, killed=killed)
        violations, after = _look(lab, machine)
        # Somebody whom the program left running may be in the middle of something: that is not so a second time.
        for _ in range(LOOKS - 1):
            if not violations or after.of("process").keys() <= before.of("process").keys():
                break
            machine.agent.step(Wait(LOOK_AGAIN_NS))
            again, after = _look(lab, machine)
            violations = tuple(violation for violation in violations if violation in again)
        if violations:
            guests.require_whole()
    return ProgramEnd(status, violations, after.told(CHECKED), tuple(after.since(before)), killed)


def _look(lab: Lab, machine: Machine) -> tuple[tuple[Violation, ...], Census]:
    """Check the kernel, and count what it has, while it stands still."""
    machine.pause()
    try:
        return tuple(validate(lab.kernel)), take_census(lab.kernel)
    finally:
        machine.resume()


def _killed(machine: Machine) -> str:
    """Say whom the OOM killer took (``mm/oom_kill.c: __oom_kill_process()``)."""
    names = re.findall(
        r"^(?:\[[^]]*\] )?Out of memory: Killed process (\d+ \([^)\n]*\))", machine.console.text, re.MULTILINE
    )
    if not names:
        return ""
    others = f" and {len(names) - 1} more" if len(names) > 1 else ""
    more = next_size(machine.spec.memory_mib)
    return f"the guest's memory was used up, and its kernel killed {names[0]}{others}: --memory {more} gives it more"
