"""``ktrace exec``: a real program in the guest, and what its kernel looks like afterwards."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from ktrace.agent.command import Command
from ktrace.agent.piped_command import DidNotEnd
from ktrace.cli.mistakes import of_host, told
from ktrace.cli.options import Seconds, guest_options
from ktrace.cli.output import exit_code, notify, pass_on
from ktrace.cli.traced import TracedOptions, run_traced, traced_options
from ktrace.errors import GuestPanic, KtraceError, UsageError
from ktrace.machine.baggage.pack import Packed, pack
from ktrace.trace.session import counted
from ktrace.verify.guests import prepare_guests
from ktrace.verify.options import GuestOptions
from ktrace.verify.program import ProgramEnd, run_program, with_room

PANIC = 255
OWN = 120
"""What is added to exit codes of ours, so that they are not taken for the program's: 121 to 125."""
PATH = "/usr/bin:/bin:/usr/sbin:/sbin"
"""Where programs are looked for in the guest, behind where they are on this machine."""
HOME = "/root"
HANDED_ON = ("LD_LIBRARY_PATH",)
"""Of this process's environment: what the libraries were found by."""
MISSED_SHOWN = 5


class _Exec(click.Command):
    """A command whose own mistakes are told apart from those of the program that it runs."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the command line, or refuse it with an exit code of ours."""
        try:
            return super().parse_args(ctx, args)
        except click.exceptions.NoArgsIsHelpError:
            raise
        except (click.ClickException, KtraceError) as error:
            mistake = told(error) if isinstance(error, click.ClickException) else error
            mistake.exit_code += OWN
            raise mistake from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run it; what this machine does not let us write, or read, is told by a code of ours."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except OSError as error:
            failed = of_host(error)
            failed.exit_code += OWN
            raise failed from error


@click.command("exec", cls=_Exec, context_settings={"allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@guest_options("The image to run it in.")
@click.option("--plain", is_flag=True, help="Run it at full speed, and look at the kernel only when it has ended.")
@traced_options
@click.option(
    "--put", multiple=True, metavar="PATH", help="A file or directory that it needs; HERE:/THERE puts it elsewhere."
)
@click.option("--env", multiple=True, metavar="NAME=VALUE", help="Its environment; PATH and HOME are always set.")
@click.option("--cwd", metavar="DIR", help="Where it is run, in the guest; by default the directory that you are in.")
@click.option("--stdin", metavar="FILE", help="What it reads on standard input, instead of ours.")
@click.option(
    "--timeout", type=Seconds(), metavar="SECONDS", default=60.0, show_default=True, help="Seconds until it is killed."
)
@click.option("--validate/--no-validate", default=True, help="Check the kernel's structures when it has ended.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing of what was checked, but contradictions.")
@click.option("-v", "--verbose", is_flag=True, help="Say what is brought into the guest.")
def exec_(
    command: tuple[str, ...],
    guest: GuestOptions,
    plain: bool,
    traced: TracedOptions,
    put: tuple[str, ...],
    env: tuple[str, ...],
    cwd: str | None,
    stdin: str | None,
    timeout: float,
    validate: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Run COMMAND, a program of this machine, in a fresh guest, show each of its calls, and end with its exit code.

    Under each call, as strace writes it, stands what it changed in the kernel; result and change are held against the
    model. One process at a time makes one call at a time; --seed lets them go on in another order. Calls that change
    nothing that is modelled are passed over, and that they changed nothing is what is checked of them. With --plain
    the program runs at full speed, and the kernel is looked at only when it has ended.

    It is copied there with the libraries that it is linked with and with what the words of its arguments name: programs
    with theirs, files. A script comes with its interpreter; python and perl with their own library, and the modules
    that are named. --put brings the rest, -v says what came; a guest gets memory for all of it, unless --memory says
    how much. Everything belongs to root there, who runs it, so that it makes no difference whether it is setuid; with
    --user somebody else does, to whom what --put brings belongs.

    Its standard input, output and error are pipes of the guest; what is piped or redirected into ktrace, or --stdin,
    comes to it as it reads. When it has ended, every pipe, System V object and socket of the guest is checked against
    itself, contradictions are printed, and what it left behind is named: queues, sets, segments, sockets, FIFOs,
    processes.

    Exit codes of ktrace's own are told apart from the program's: 121 a divergence or contradiction, 122 your input,
    123 this machine, 124 the guest, 125 a bug of ktrace, 126 COMMAND cannot be executed, 127 there is no such program,
    255 the guest's kernel has panicked; 128 and more: a signal ended the program.
    """
    try:
        for item in env:
            if "=" not in item:
                raise UsageError(f"{item!r} is no NAME=VALUE", "write --env NAME=VALUE")
        place = os.path.join(os.getcwd(), cwd or "")
        packed = pack(command, put, place, env, traced.user)
        roomy = with_room(guest, packed.baggage)
        for line in packed.missed[:MISSED_SHOWN] if not verbose else packed.missed:
            notify(f"ktrace: not brought: {line}")
        if verbose:
            _tell_brought(packed, None if roomy is guest else roomy.memory_mib)
        elif len(packed.missed) > MISSED_SHOWN:
            notify(f"ktrace: not brought: {len(packed.missed) - MISSED_SHOWN} more, see -v")
        wanted = Command((packed.path, *command[1:]), _environment(env), place, timeout=timeout, user=traced.user)
        with _opened(stdin) as given:
            if not plain:
                return _own(run_traced(roomy, packed, wanted, given, traced, validate, quiet, verbose))
            if traced.given:
                raise UsageError(f"{traced.given[0]} is for calls, and --plain sees none", "leave one of them out")
            end = run_program(prepare_guests(roomy, notify), packed.baggage, wanted, given, validate, pass_on)
    except DidNotEnd as error:
        error.console = ""  # its guest has nothing to say of that
        error.exit_code += OWN
        raise
    except GuestPanic as error:
        error.exit_code = PANIC
        raise
    except KtraceError as error:
        if error.exit_code < OWN:
            error.exit_code += OWN
        raise
    if end.killed:
        notify(f"ktrace: {end.killed}")
    for violation in end.violations:
        notify(f"contradiction: {violation}")
    if end.checked and not quiet:
        _say(end)
    return OWN + 1 if end.violations else exit_code(end.status)


def _own(code: int) -> int:
    """Tell an exit code of ours, which is negative, from the program's."""
    return code if code >= 0 else OWN - code


@contextmanager
def _opened(path: str | None) -> Iterator[int | None]:
    """Yield the descriptor of what the program reads: *path*, or our standard input, unless somebody types there."""
    if path is None:
        yield None if sys.stdin.isatty() else sys.stdin.fileno()
        return
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(f"cannot read {path!r}: {error.strerror}", "--stdin FILE") from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _environment(given: Sequence[str]) -> tuple[str, ...]:
    places = [place for place in os.environ.get("PATH", "").split(":") if place.startswith("/")]
    path = ":".join(dict.fromkeys([*places, *PATH.split(":")]))
    handed_on = {name: os.environ[name] for name in HANDED_ON if name in os.environ}
    values = {"PATH": path, "HOME": HOME, **handed_on, **dict(item.split("=", 1) for item in given)}
    return tuple(f"{name}={value}" for name, value in values.items())


def _tell_brought(packed: Packed, memory_mib: int | None) -> None:
    for line in packed.told:
        notify(f"ktrace: brought {line}")
    for line in packed.passed_over:
        notify(f"ktrace: passed over: {line}")
    memory = "" if memory_mib is None else f", so the guest has {memory_mib} MiB"
    files = counted(len(packed.baggage.files), "file")
    notify(f"ktrace: {files}, {packed.baggage.memory / (1 << 20):.1f} MiB{memory}")


def _say(end: ProgramEnd) -> None:
    found = counted(len(end.violations), "contradiction") if end.violations else "nothing contradicts itself"
    notify(f"ktrace: checked {end.checked}: {found}")
    for kind in end.left:
        notify(f"ktrace: left behind: {kind}")
