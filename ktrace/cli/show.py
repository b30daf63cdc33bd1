"""``ktrace show``: print a session again, without a guest."""

from __future__ import annotations

from pathlib import Path

import click

from ktrace.cli.output import View, view_options
from ktrace.trace.session_reader import SessionReader


@click.command()
@click.argument("session", type=click.Path(path_type=Path))
@view_options
def show(session: Path, view: View) -> int:
    """Print SESSION as it was printed when it ran."""
    return play(session, view)


def play(session: Path, view: View) -> int:
    """Print a session again; say so where it has no end. Return the exit code."""
    played = SessionReader(session).play(view, str(session))
    if not played.ended:
        click.echo(f"ktrace: {session} ends early: it was cut off, or is still running", err=True)
    return 1 if played.diverged else 0
