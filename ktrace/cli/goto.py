"""``ktrace goto``: the guest of a session as it was after a step."""

from __future__ import annotations

from pathlib import Path

import click

from ktrace.cli.hold import hold
from ktrace.cli.options import SessionName, memory_option
from ktrace.cli.output import notify
from ktrace.cli.progress import Progress
from ktrace.errors import UsageError
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.goto import guest_at_step
from ktrace.verify.notify import Notify
from ktrace.verify.paused import announced

_COMMANDS = ("inspect", "shell", "console", "dump")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("session", type=SessionName())
@click.argument("step", type=click.IntRange(0))
@click.option("--hold", "held", is_flag=True, help="Keep the guest, for inspect, shell, console and dump.")
@click.option("--rerun", "anew", is_flag=True, help="Make the calls again even where a checkpoint is.")
@click.option("--moved", is_flag=True, help="Let objects lie at other addresses than the session says.")
@memory_option
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def goto(
    session: Path, step: int, held: bool, anew: bool, moved: bool, memory_mib: int | None, command: tuple[str, ...]
) -> int:
    """Restore the guest of SESSION as it was after STEP, and do COMMAND there.

    COMMAND is inspect, shell, console or dump with their own arguments, such as: ktrace goto SESSION 12 inspect pipes.
    Without one, the guest is held. It is cloned from the last checkpoint (run --checkpoint) or from the image's
    template, and the session's calls since are made again, each compared with what the session says of it.
    """
    if command and command[0] not in _COMMANDS:
        raise UsageError(f"goto does not know {command[0]!r}", f"there are {', '.join(_COMMANDS)}")
    title = SessionReader(session).header.title
    with (
        Progress("going there", step) as progress,
        guest_at_step(session, step, anew, moved, _after(progress), memory_mib, progress) as guest,
        announced(guest, title) as place,
    ):
        progress.clear()
        if command:
            _do(command, place)
        if held or not command:
            hold(guest)
    return 0


def _after(progress: Progress) -> Notify:
    """Return what tells the person something where *progress* had its line."""

    def tell(text: str) -> None:
        progress.clear()
        notify(text)

    return tell


def _do(command: tuple[str, ...], place: Path) -> None:
    """Have another command look at the guest that is held in *place*."""
    from ktrace.cli.main import cli

    name, *arguments = command
    cli.main(args=[name, *arguments, str(place)], prog_name="ktrace", standalone_mode=False)
