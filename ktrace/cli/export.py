"""``ktrace export``: write a session in a format that other tools read."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from ktrace.errors import HostError, UsageError
from ktrace.report.export import FORMATS
from ktrace.report.export import export as exported


@click.command()
@click.argument("session", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice([*FORMATS]), required=True, help="What to write.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file to write.  [default: standard output]")
def export(session: Path, form: str, output: Path | None) -> None:
    """Write SESSION for other tools.

    perfetto, chrome and ftrace draw a track for each actor, with curves of ring usage, semaphore values and bytes in
    queues; inside a step time is the guest's, between steps none passes. ktap and junit hold a test for each step;
    csv a row for each field that changed.
    """
    parts = exported(session, form)
    if output is None or str(output) == "-":
        if form == "perfetto" and sys.stdout.isatty():
            raise UsageError("perfetto's format is not for a terminal", "write it to a file: -o trace.pftrace")
        for part in parts:
            sys.stdout.buffer.write(part)
        return
    scratch = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        try:
            with open(scratch, "wb") as out:
                for part in parts:
                    out.write(part)
            scratch.replace(output)
        finally:
            scratch.unlink(missing_ok=True)
    except OSError as error:
        raise HostError(f"cannot write {str(output)!r}: {error.strerror}", "name another file with -o") from error
