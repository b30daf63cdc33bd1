"""A program of this machine in a fresh guest, and what its kernel looks like afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ktrace.agent.command import Command, OnOutput, run_command
from ktrace.inspect.census import take_census
from ktrace.inspect.invariants.all import validate
from ktrace.inspect.invariants.violation import Violation
from ktrace.machine.program import Program, bring
from ktrace.verify.guests import Guests

CHECKED = ("pipe", "socket", "msg", "sem", "shm")


@dataclass(frozen=True)
class ProgramEnd:
    """How a program ended, and what the kernel looked like then.

    :param status: wait status
    :param violations: what contradicts itself
    :param checked: how much was checked, in words; empty where nothing was
    :param left: what has come since before the program, a kind at a time
    """

    status: int
    violations: tuple[Violation, ...] = ()
    checked: str = ""
    left: tuple[str, ...] = ()


def run_program(
    guests: Guests, program: Program, command: Command, put: Sequence[str], check: bool, tell: OnOutput
) -> ProgramEnd:
    """Run *command*, whose program is *program*, in a fresh guest.

    :param put: files of this machine that it needs besides its libraries
    :param check: check the kernel's structures when it has ended
    :param tell: told its output as it comes
    :raises UsageError: there is no such file
    :raises GuestPanic: the guest's kernel has panicked
    :raises HostError: it contradicts itself because its template is damaged
    """
    extra = [str(Path(item).absolute()) for item in put]
    with (
        TemporaryDirectory(prefix="ktrace-exec-") as scratch,
        guests.lab(Path(scratch)) as (lab, machine),
    ):
        bring(machine.agent, [*program.files, *extra])
        before = take_census(lab.kernel) if check else None
        status = run_command(machine.agent, command, tell).status
        if before is None:
            return ProgramEnd(status)
        violations = tuple(validate(lab.kernel))
        if violations:
            guests.require_whole()
        after = take_census(lab.kernel)
    return ProgramEnd(status, violations, after.told(CHECKED), tuple(after.since(before)))
