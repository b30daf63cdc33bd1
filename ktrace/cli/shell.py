"""``ktrace shell``: drgn's own shell on a guest, with our readers loaded."""

from __future__ import annotations

import traceback
from typing import Any

import click

from ktrace.cli.options import TargetName, guest_options
from ktrace.cli.output import notify
from ktrace.cli.progress import Progress
from ktrace.cli.streams import unescaped
from ktrace.errors import KtraceError, UsageError
from ktrace.interrupt import held_back, interrupts
from ktrace.verify.options import GuestOptions
from ktrace.verify.shell_names import shell_names
from ktrace.verify.targets import open_target

CODE = "<command>"
"""What Python calls the person's code."""


@click.command()
@click.argument("target", required=False, type=TargetName())
@guest_options("The image to run a workload on.")
@click.option("-c", "--command", help="Run this code and leave.")
def shell(target: str | None, guest: GuestOptions, command: str | None) -> None:
    """Open drgn's shell on the guest that TARGET names (see inspect)."""
    with Progress("running") as progress, open_target(target, guest, notify, progress) as opened:
        progress.clear()
        names = shell_names(opened)
        prog = opened.inspector.kernel.prog
        with held_back():
            from drgn.cli import default_globals, run_interactive
        if command is not None:
            _run(command, {**default_globals(prog), **names})
            return
        banner = "ktrace: look() reads the World; task('A') is an actor's task_struct; inspector, kernel, memory"
        with interrupts.left_alone(), unescaped():
            run_interactive(
                prog, banner_func=lambda text: f"{text}\n{banner}", globals_func=lambda given: {**given, **names}
            )


def _run(command: str, names: dict[str, Any]) -> None:
    """Run the person's code.

    :raises UsageError: it raises something; what led there was printed, without what is ours
    """
    try:
        with unescaped():
            exec(compile(command, CODE, "exec"), names)
    except (KtraceError, BrokenPipeError):
        raise
    except Exception as error:
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename != CODE:
            trace = trace.tb_next
        if trace is not None and trace.tb_next is not None:
            notify("".join(traceback.format_tb(trace)).rstrip())
        where = f", line {trace.tb_lineno} of the code" if trace is not None else ""
        raise UsageError(f"{type(error).__name__}: {error}{where}") from error
