"""``ktrace diff``: two sessions of one workload, side by side."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from ktrace.cli.options import SessionName
from ktrace.cli.progress import Progress
from ktrace.trace.difference import compare_sessions
from ktrace.trace.session import counted, expected_steps
from ktrace.trace.session_reader import SessionReader


@click.command()
@click.argument("one", type=SessionName())
@click.argument("other", type=SessionName())
@click.option("--functions/--no-functions", default=True, help="Compare the function trees, too.")
@click.option("--json", "as_json", is_flag=True, help="Print data, one JSON object a line.")
def diff(one: Path, other: Path, functions: bool, as_json: bool) -> int:
    """Compare the sessions ONE and OTHER: calls, results, structures, functions. Times are not compared.

    Exit code 0 if they agree, 1 if not, as diff(1) has it.
    """
    found = 0
    step = 0
    with Progress("comparing", expected_steps(one), wanted=not as_json) as progress:
        for item in compare_sessions(SessionReader(one, progress), SessionReader(other), functions):
            found += 1
            progress.clear()
            if as_json:
                click.echo(json.dumps(asdict(item)))
                continue
            if item.step != step:
                step = item.step
                click.echo(f"step {step}")
            click.echo(f"  {item.kind:<9} {item.what}")
            click.echo(f"            {_short(item.one)}\n            {_short(item.other)}")
    if not as_json:
        click.echo(counted(found, "difference") if found else "no difference")
    return 1 if found else 0


def _short(text: str, limit: int = 200) -> str:
    return text if len(text) <= limit else text[:limit] + "..."
