"""``ktrace shell``: drgn's own shell on a guest, with our readers loaded."""

from __future__ import annotations

from typing import Any

import click

from ktrace.cli.options import guest_options
from ktrace.cli.output import notify
from ktrace.verify.options import GuestOptions
from ktrace.verify.paused import Inspection
from ktrace.verify.targets import open_target


@click.command()
@click.argument("target", required=False)
@guest_options("The image to run a workload on.")
@click.option("-c", "--command", help="Run this code and leave.")
def shell(target: str | None, guest: GuestOptions, command: str | None) -> None:
    """Open drgn's shell on the guest that TARGET names (see inspect)."""
    with open_target(target, guest, notify) as opened:
        names = _names(opened)
        prog = opened.inspector.kernel.prog
        if command is not None:
            from drgn.cli import default_globals

            exec(command, {**default_globals(prog), **names})
            return
        from drgn.cli import run_interactive

        banner = "ktrace: look() reads the World; task('A') is an actor's task_struct; inspector, kernel, memory"
        run_interactive(
            prog, banner_func=lambda text: f"{text}\n{banner}", globals_func=lambda given: {**given, **names}
        )


def _names(opened: Inspection) -> dict[str, Any]:
    """Return what the shell knows beyond drgn's own names."""
    import drgn

    inspector, namer = opened.inspector, opened.namer
    prog = inspector.kernel.prog

    def task(actor: str) -> drgn.Object:
        """Return an actor's ``struct task_struct *``."""
        return drgn.Object(prog, "struct task_struct *", value=inspector.tasks[actor])

    return {
        "inspector": inspector,
        "kernel": inspector.kernel,
        "memory": inspector.kernel.memory,
        "look": lambda: namer.name(inspector.observe()).objects,
        "task": task,
    }
