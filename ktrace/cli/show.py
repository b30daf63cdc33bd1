"""``ktrace show``: print a session again, without a guest."""

from __future__ import annotations

from pathlib import Path

import click

from ktrace.cli.output import View, view_options
from ktrace.state.step import Step
from ktrace.trace.session import SessionReader, Verdict


@click.command()
@click.argument("session", type=click.Path(path_type=Path))
@view_options
def show(session: Path, view: View) -> int:
    """Print SESSION as it was printed when it ran."""
    reader = SessionReader(session)
    view.header(reader.header)
    ended = False
    diverged = False
    for event in reader.events():
        if isinstance(event, Step):
            view.step(event)
        elif isinstance(event, Verdict):
            diverged = True
            view.verdict(event)
        else:
            ended = True
            view.end(event, str(session))
    if not ended:
        click.echo(f"ktrace: {session} ends early: it was cut off, or is still running", err=True)
    return 1 if diverged else 0
