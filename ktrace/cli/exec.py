"""``ktrace exec``: a real program in the guest, and what its kernel looks like afterwards."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from ktrace.agent.command import Command, run_command
from ktrace.cli.options import guest_options
from ktrace.cli.output import notify
from ktrace.errors import GuestPanic, UsageError
from ktrace.inspect.invariants.all import validate as validate_all
from ktrace.machine.machine import Machine
from ktrace.machine.program import bring, find_program
from ktrace.verify.guests import prepare_guests
from ktrace.verify.options import GuestOptions

PANIC = 255


@click.command("exec", context_settings={"allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@guest_options("The image to run it in.")
@click.option("--put", multiple=True, metavar="FILE", help="A file of this machine that it needs, too.")
@click.option("--env", multiple=True, metavar="NAME=VALUE", help="Its environment; PATH is always set.")
@click.option("--timeout", default=60.0, show_default=True, help="Seconds until it is killed.")
@click.option("--validate/--no-validate", default=True, help="Check the kernel's structures when it has ended.")
def exec_(
    command: tuple[str, ...],
    guest: GuestOptions,
    put: tuple[str, ...],
    env: tuple[str, ...],
    timeout: float,
    validate: bool,
) -> None:
    """Run COMMAND, a program of this machine, in a fresh guest, and end with its exit code.

    It is copied there with the libraries that it is linked with, runs as root, and reads what stands on standard
    input. Afterwards every pipe, System V object and socket of the guest is checked against itself: contradictions are
    printed, and the exit code is 1. A guest whose kernel panics gives 255.
    """
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
        status = _run(machine, Command(argv, environment, stdin=given, timeout=timeout))
        violations = validate_all(lab.kernel) if validate else []
    for violation in violations:
        click.echo(str(violation), err=True)
    code = os.waitstatus_to_exitcode(status)
    raise SystemExit(1 if violations else code if code >= 0 else 128 - code)


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
