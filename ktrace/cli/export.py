"""``ktrace export``: write a session in a format that other tools read."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from ktrace.cli.mistakes import Choice
from ktrace.cli.options import SessionName
from ktrace.cli.output import notify
from ktrace.cli.progress import Progress
from ktrace.errors import UsageError
from ktrace.output_file import output_file
from ktrace.report.export import FORMATS
from ktrace.report.export import export as exported
from ktrace.trace.session import expected_steps
from ktrace.trace.session_reader import is_whole


@click.command()
@click.argument("session", type=SessionName())
@click.option("--format", "form", type=Choice([*FORMATS]), required=True, help="What to write.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file to write.  [default: standard output]")
def export(session: Path, form: str, output: Path | None) -> int:
    """Write SESSION for other tools.

    perfetto, chrome and ftrace draw a track for each actor, with curves of ring usage, semaphore values and bytes in
    queues; inside a step time is the guest's, between steps none passes. ktap and junit hold a test for each step;
    csv a row for each field that changed. Exit code 2 if SESSION was cut off; what there is is written.
    """
    with Progress("exporting", expected_steps(session), wanted=output is not None) as progress:
        _write(exported(session, form, progress), form, output)
    if is_whole(session):
        return 0
    notify(f"ktrace: steps of {session} are missing: it was cut off, or is still being written")
    return UsageError.exit_code


def _write(parts: Iterable[bytes], form: str, output: Path | None) -> None:
    if output is None or str(output) == "-":
        if form == "perfetto" and sys.stdout.isatty():
            raise UsageError("perfetto's format is not for a terminal", "write it to a file: -o trace.pftrace")
        for part in parts:
            if sys.stdout.isatty():
                sys.stdout.write(part.decode("utf-8", "replace"))  # which escapes what would steer it
            else:
                sys.stdout.buffer.write(part)
    else:
        with output_file(output) as out:
            for part in parts:
                out.write(part)
