"""``ktrace check``: hold recorded traces against the model, without a guest."""

from __future__ import annotations

from pathlib import Path

import click

from ktrace.cli.output import View, view_options
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.replay import replay


@click.command()
@click.argument("traces", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--paths",
    type=click.Path(path_type=Path),
    help="Hold recorded functions against this file.  [default: the one beside the bundled workload]",
)
@view_options
def check(traces: tuple[Path, ...], paths: Path | None, view: View) -> int:
    """Replay recorded TRACES against the reference model; exit code 1 where one diverges.

    Where a trace has functions, they are held against the paths beside its workload.
    """
    code = 0
    for trace in traces:
        end = replay(SessionReader(trace), view.only_verdicts(), paths)
        if end.status != "agreed":
            code = 1
    return code
