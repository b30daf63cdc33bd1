"""The command ``ktrace``: parse, call, print. Every error ends in one message and its exit code."""

from __future__ import annotations

import gc
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import click

from ktrace.errors import GuestError, KtraceError

_COMMANDS = {
    "bench": "ktrace.cli.bench:bench",
    "check": "ktrace.cli.check:check",
    "console": "ktrace.cli.console:console",
    "diff": "ktrace.cli.diff:diff",
    "doctor": "ktrace.cli.doctor:doctor",
    "dump": "ktrace.cli.dump:dump",
    "exec": "ktrace.cli.exec:exec_",
    "export": "ktrace.cli.export:export",
    "fuzz": "ktrace.cli.fuzz:fuzz",
    "image": "ktrace.cli.image:image",
    "goto": "ktrace.cli.goto:goto",
    "inspect": "ktrace.cli.inspect:inspect",
    "report": "ktrace.cli.report:report",
    "probe": "ktrace.cli.probe:probe",
    "run": "ktrace.cli.run:run",
    "seed": "ktrace.cli.seed:seed",
    "shell": "ktrace.cli.shell:shell",
    "show": "ktrace.cli.show:show",
    "watch": "ktrace.cli.watch:watch",
}
"""Where each command lives; a command's module is loaded only when it is asked for."""

CONSOLE_LINES = 20


class _Commands(click.Group):
    """Load a command when it is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = _COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; click would end the process with 1 if it saw the errno of a reader that left."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise BrokenPipeError from None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ktrace")
def cli() -> None:
    """Boot a Linux guest, run IPC workloads in it call by call, and prove what the kernel did."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; the process ends with its exit code (``ktrace/errors.py``)."""
    # What steps leave behind has no cycles: looking for some at every 700 objects finds nothing.
    gc.set_threshold(200_000, 20, 100)
    try:
        code = cli.main(args=arguments, prog_name="ktrace", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Abort:
        code = _say("interrupted", None, 130)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except KtraceError as error:
        if "KTRACE_TRACEBACK" in os.environ:
            traceback.print_exc()
        if isinstance(error, GuestError) and error.console:
            tail = "\n".join(error.console.splitlines()[-CONSOLE_LINES:])
            click.echo(f"{click.style('the end of the guest console:', dim=True)}\n{tail}", err=True)
        code = _say(error.message, error.hint, error.exit_code, error.blame)
    except KeyboardInterrupt:
        code = _say("interrupted", None, 130)
    except BrokenPipeError:
        # Whoever read our output has gone: nothing is left to say, and nobody to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 141
    sys.exit(code if isinstance(code, int) else 0)


def _say(message: str, hint: str | None, code: int, blame: str = "") -> int:
    where = f" ({blame})" if blame else ""
    click.echo(f"{click.style('ktrace', bold=True)}{where}: {message}", err=True)
    if hint:
        click.echo(f"  {hint}", err=True)
    return code
