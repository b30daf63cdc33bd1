"""``ktrace check``: hold recorded traces against the model, without a guest."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ktrace.cli.options import SessionName
from ktrace.cli.output import View, view_options, worse
from ktrace.trace.choice_counts import ChoiceCounts, Counting, Row
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.replay import replay


@click.command()
@click.argument("traces", nargs=-1, required=True, type=SessionName())
@click.option(
    "--paths",
    type=click.Path(path_type=Path),
    help="Hold recorded functions against this file.  [default: the one beside the bundled workload]",
)
@click.option("--choices", is_flag=True, help="Count the rules that leave the kernel a choice, over all TRACES.")
@view_options
def check(traces: tuple[Path, ...], paths: Path | None, choices: bool, view: View) -> int:
    """Replay recorded TRACES against the reference model; exit code 1 where one diverges, 2 where one was cut off.

    Where a trace has functions, they are held against the paths beside its workload.
    """
    code = 0
    counts = ChoiceCounts()
    for trace in traces:
        end = replay(SessionReader(trace), Counting(counts, view.only_verdicts()), paths)
        code = worse(code, end.exit_code)
    if choices and view.is_json:
        click.echo(json.dumps({"event": "rules", "rules": [row.as_dict() for row in counts.rows()]}))
    elif choices:
        _print(counts.rows())
    return code


def _print(rows: list[Row]) -> None:
    """Print a line for each rule, the one used most first."""
    cells = [("used", "steps", "rule", "kernel source")]
    cells += [(str(row.used), str(row.steps), str(row.rule), row.rule.source) for row in rows]
    widths = [max(len(cell[column]) for cell in cells) for column in range(3)]
    for used, steps, rule, source in cells:
        click.echo(f"{used:>{widths[0]}}  {steps:>{widths[1]}}  {rule:<{widths[2]}}  {source}")
    for row in rows:
        if row.refused:
            click.echo(f"not allowed {row.refused} times: {row.rule}")
