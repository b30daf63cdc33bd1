"""``ktrace exec``: a real program in the guest, and what its kernel looks like afterwards."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from ktrace.agent.command import Command, run_command
from ktrace.cli.options import guest_options
from ktrace.cli.output import notify
from ktrace.errors import GuestPanic, KtraceError, UsageError
from ktrace.inspect.census import Census, take_census
from ktrace.inspect.invariants.all import validate as validate_all
from ktrace.inspect.invariants.violation import Violation
from ktrace.machine.machine import Machine
from ktrace.machine.program import bring, find_program
from ktrace.verify.guests import prepare_guests
from ktrace.verify.options import GuestOptions

PANIC = 255
OWN = 120
"""What is added to exit codes of ours, so that they are not taken for the program's: 121 to 125."""
CHECKED = ("pipe", "socket", "msg", "sem", "shm")


@click.command("exec", context_settings={"allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@guest_options("The image to run it in.")
@click.option("--put", multiple=True, metavar="FILE", help="A file of this machine that it needs, too.")
@click.option("--env", multiple=True, metavar="NAME=VALUE", help="Its environment; PATH is always set.")
@click.option("--timeout", default=60.0, show_default=True, help="Seconds until it is killed.")
@click.option("--validate/--no-validate", default=True, help="Check the kernel's structures when it has ended.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing of what was checked, but contradictions.")
def exec_(
    command: tuple[str, ...],
    guest: GuestOptions,
    put: tuple[str, ...],
    env: tuple[str, ...],
    timeout: float,
    validate: bool,
    quiet: bool,
) -> int:
    """Run COMMAND, a program of this machine, in a fresh guest, and end with its exit code.

    It is copied there with the libraries that it is linked with, runs as root, and reads what stands on standard
    input. Afterwards every pipe, System V object and socket of the guest is checked against itself, contradictions are
    printed, and what the program left behind is named.

    Exit codes of ktrace's own are told apart from the program's: 121 contradictions, 122 your input, 123 this machine,
    124 the guest, 125 a bug of ktrace, 126 COMMAND cannot be executed, 127 there is no such program, 255 the guest's
    kernel has panicked; 128 and more: a signal ended the program.
    """
    try:
        code, violations, said = _run_in_guest(command, guest, put, env, timeout, validate)
    except KtraceError as error:
        if error.exit_code < OWN:
            error.exit_code += OWN
        raise
    for violation in violations:
        notify(f"contradiction: {violation}")
    if not quiet:
        for line in said:
            notify(f"ktrace: {line}")
    return OWN + 1 if violations else code if code >= 0 else 128 - code


def _run_in_guest(
    command: tuple[str, ...],
    guest: GuestOptions,
    put: tuple[str, ...],
    env: tuple[str, ...],
    timeout: float,
    validate: bool,
) -> tuple[int, list[Violation], list[str]]:
    """Return the program's exit code, negative for a signal; what contradicts itself; and what there is to say."""
    for item in env:
        if "=" not in item:
            raise UsageError(f"{item!r} is no NAME=VALUE", "write --env NAME=VALUE")
    program = find_program(command[0])
    extra = [str(Path(item).absolute()) for item in put]
    given = b"" if sys.stdin.isatty() else sys.stdin.buffer.read()
    guests = prepare_guests(guest, notify)
    with (
        TemporaryDirectory(prefix="ktrace-exec-") as scratch,
        guests.lab(Path(scratch)) as (lab, machine),
    ):
        bring(machine.agent, [*program.files, *extra])
        argv, environment = (program.path, *command[1:]), ("PATH=/usr/bin:/bin:/usr/sbin:/sbin", *env)
        before = take_census(lab.kernel) if validate else None
        status = _run(machine, Command(argv, environment, stdin=given, timeout=timeout))
        violations = validate_all(lab.kernel) if validate else []
        if violations:
            guests.require_whole()
        said = [] if before is None else list(_said(before, take_census(lab.kernel), violations))
    return os.waitstatus_to_exitcode(status), violations, said


def _said(before: Census, after: Census, violations: list[Violation]) -> Iterator[str]:
    found = f"{len(violations)} contradictions" if len(violations) != 1 else "1 contradiction"
    yield f"checked {after.told(CHECKED)}: {found if violations else 'nothing contradicts itself'}"
    for kind in after.since(before):
        yield f"left behind: {kind}"


def _run(machine: Machine, command: Command) -> int:
    """Run *command*, its output passed on as it comes, and return its wait status."""

    def tell(out: bytes, err: bytes) -> None:
        for stream, data in ((sys.stdout, out), (sys.stderr, err)):
            stream.buffer.write(data)
            stream.flush()

    try:
        return run_command(machine.agent, command, tell).status
    except GuestPanic as error:
        error.exit_code = PANIC
        raise
