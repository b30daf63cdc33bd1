"""The command ``ktrace``: parse, call, print. Every error ends in one message and its exit code."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

import click

from ktrace.cli.colours import colours
from ktrace.cli.lines import styled
from ktrace.cli.mistakes import Choice, Group, of_host, told
from ktrace.cli.streams import give_up_output, prepare_streams
from ktrace.errors import GuestError, HostError, InternalError, KtraceError, UsageError
from ktrace.interrupt import held_back, interrupts
from ktrace.version import VERSION

_COMMANDS = {
    "bench": "ktrace.cli.bench:bench",
    "check": "ktrace.cli.check:check",
    "completion": "ktrace.cli.completion:completion",
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
    "matrix": "ktrace.cli.matrix:matrix",
    "report": "ktrace.cli.report:report",
    "probe": "ktrace.cli.probe:probe",
    "run": "ktrace.cli.run:run",
    "seed": "ktrace.cli.seed:seed",
    "sessions": "ktrace.cli.sessions:sessions",
    "shell": "ktrace.cli.shell:shell",
    "show": "ktrace.cli.show:show",
    "watch": "ktrace.cli.watch:watch",
}
"""Where each command lives; a command's module is loaded only when it is asked for."""

CONSOLE_LINES = 20
INTERRUPTED = 128 + signal.SIGINT
READER_GONE = 128 + signal.SIGPIPE


class _Commands(Group):
    """Load a command when it is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = _COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        with held_back():  # Python throws some interruptions of an import away
            command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        command.short_help = (command.help or "").partition("\n\n")[0].replace("\n", " ").strip()
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; click would end the process with 1 if it saw the errno of a reader that left."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise BrokenPipeError from None
        except OSError as error:
            raise of_host(error) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION)
@click.option(
    "--color", "when", type=Choice(["auto", "always", "never"]), default="auto", help="When to print colours."
)
def cli(when: str) -> None:
    """Boot a Linux guest, run IPC workloads in it call by call, and prove what the kernel did.

    Exit codes: 0 all agreed, 1 a divergence, 2 your input, 3 this machine, 4 the guest, 5 a bug of ktrace,
    6 a goal or a check that falls short, 130 interrupted.
    """
    colours.when = when


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; the process ends with its exit code (``ktrace/errors.py``)."""
    interrupts.take_over()
    try:
        code = _run(arguments)
        interrupts.raise_if_seen()
    except (KeyboardInterrupt, click.exceptions.Abort) as error:
        code = _say("interrupted", _notes(error, error.__cause__), INTERRUPTED)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is said and done
    # Python ends a process by SIGINT, whatever its exit code, if the last text that was executed (dataclasses are) was
    # interrupted (Python/pythonrun.c: run_eval_code_obj()).
    exec("")
    try:
        sys.stdout.flush()
    except (BrokenPipeError, HostError):
        give_up_output()
    sys.exit(code)


def _run(arguments: Sequence[str] | None) -> int:
    """Run the command line and return its exit code; what goes wrong has been told."""
    try:
        prepare_streams()
        code = cli.main(args=arguments, prog_name="ktrace", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.exceptions.Abort:
        raise
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return UsageError.exit_code
    except click.ClickException as error:
        return _tell(told(error))
    except KtraceError as error:
        return _tell(error)
    except BrokenPipeError:
        # Whoever read our output has gone: nothing is left to say, and nobody to say it to.
        give_up_output()
        return READER_GONE
    except OSError as error:
        return _tell(of_host(error))
    except MemoryError:
        return _tell(HostError("out of memory", "close something else"))
    except Exception as error:  # a mistake of ours: nobody caught it, so nobody may take it for a verdict
        return _tell(InternalError.of(error))


def _tell(error: KtraceError) -> int:
    if "KTRACE_TRACEBACK" in os.environ:
        import traceback

        traceback.print_exception(error)
    if isinstance(error, GuestError) and error.console:
        tail = "\n".join(error.console.splitlines()[-CONSOLE_LINES:])
        _print(("the end of the guest console:", "dim"), f"\n{tail}")
    return _say(error.message, _notes(error, hint=error.hint), error.exit_code, error.blame)


def _notes(*errors: BaseException | None, hint: str | None = None) -> str | None:
    """Return what else there is to say of an error: a hint, how far it was, where its session lies."""
    notes = [note for error in errors for note in getattr(error, "__notes__", ())]
    return "\n  ".join(filter(None, dict.fromkeys((hint, *notes)))) or None


def _say(message: str, hint: str | None, code: int, blame: str = "") -> int:
    _print(("ktrace", "bold"), f"{f' ({blame})' if blame else ''}: {message}")
    if hint:
        _print(f"  {hint}")
    return code


def _print(*parts: str | tuple[str, str]) -> None:
    """Print on standard error; where that is impossible there is nobody to be told."""
    try:
        styled(sys.stderr, *parts)
    except (OSError, HostError):
        return
