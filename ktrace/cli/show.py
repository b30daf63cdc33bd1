"""``ktrace show``: print a session again, without a guest."""

from __future__ import annotations

from pathlib import Path

import click

from ktrace.cli.options import SessionName
from ktrace.cli.output import View, notify, view_options
from ktrace.cli.progress import Counted, Progress
from ktrace.errors import UsageError
from ktrace.trace.session import expected_steps
from ktrace.trace.session_reader import SessionReader


@click.command()
@click.argument("session", type=SessionName())
@view_options
def show(session: Path, view: View) -> int:
    """Print SESSION as it was printed when it ran.

    Exit code 0 if it agreed, 1 if it diverged, 2 if it was cut off or did not come to its end.
    """
    return play(session, view)


def play(session: Path, view: View) -> int:
    """Print a session again; say so where it has no end. Return the exit code."""
    with Progress("reading", expected_steps(session), wanted=view.is_quiet) as progress:
        reader = SessionReader(session)
        played = reader.play(Counted(view, progress), str(session))
    if reader.truncated:
        notify(f"ktrace: steps of {session} are missing: it was cut off, or is still being written")
    if played.diverged:
        return 1
    return UsageError.exit_code if played.end is None or reader.truncated else played.end.exit_code
