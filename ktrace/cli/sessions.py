"""``ktrace sessions``: list and remove the sessions that were kept."""

from __future__ import annotations

import json
import time

import click

from ktrace.cli.mistakes import Group
from ktrace.cli.options import SessionName
from ktrace.cli.output import notify
from ktrace.errors import UsageError
from ktrace.trace.kept import kept_sessions, named_sessions, remove_sessions
from ktrace.trace.session import counted


@click.group("sessions", cls=Group, invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print data, one JSON object a line.")
@click.pass_context
def sessions(context: click.Context, as_json: bool) -> None:
    """List the sessions that were kept, the newest first.

    Every command that takes a session takes such a name, the beginning of one, or 'last'.
    """
    if context.invoked_subcommand is not None:
        return
    everything = kept_sessions()
    for kept in everything:
        title = kept.title()
        if as_json:
            facts = {"name": kept.name, "path": str(kept.path), "changed": kept.changed, "bytes": kept.size}
            click.echo(json.dumps({**facts, "held": kept.live, "title": title}))
            continue
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(kept.changed))
        click.echo(f"{kept.name:<48} {when} {kept.size / 1e6:7.1f} MB  {'held  ' if kept.live else ''}{title}")


@sessions.command("rm")
@click.argument("names", nargs=-1, shell_complete=SessionName().shell_complete)
@click.option("--keep", type=click.IntRange(0), metavar="N", help="Remove all but the newest N.")
def rm(names: tuple[str, ...], keep: int | None) -> None:
    """Remove the sessions NAMES, or all but the newest (--keep N). One whose guest is held stays."""
    if bool(names) == (keep is not None):
        raise UsageError("which sessions?", "give names, or --keep N")
    chosen = kept_sessions()[keep:] if keep is not None else named_sessions(names)
    freed = remove_sessions(chosen)
    held = [item.name for item in chosen if item.live]
    notify(f"{counted(len(chosen) - len(held), 'session')} removed, {freed / 1e6:.1f} MB")
    for name in held:
        notify(f"{name} is held, and stays")
