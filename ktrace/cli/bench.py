"""``ktrace bench``: measure on this machine, side by side, against the project's goals."""

from __future__ import annotations

import json
from collections.abc import Callable

import click
from rich.table import Table

from ktrace.bench.measure import Row
from ktrace.cli.output import console

NAMES = (
    "boot-vs-clone",
    "agent-round-trip",
    "checked-vs-unchecked",
    "inspect-vs-drgn",
    "run-pipe-basic",
    "functions-overhead",
    "events-overhead",
)


@click.command()
@click.option("--only", type=click.Choice(NAMES), multiple=True, help="Measure this one only.")
@click.option("--runs", type=click.IntRange(3, 1000), default=11, show_default=True, help="Pairs per figure.")
@click.option("--image", "image_name", default="lab-6.1", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print data.")
def bench(only: tuple[str, ...], runs: int, image_name: str, as_json: bool) -> int:
    """Measure what ktrace promises: medians, and ratios of what ran side by side.

    Exit code 1 if a goal was missed.
    """
    from ktrace.bench.enumeration import inspect_vs_drgn
    from ktrace.bench.functions import events_overhead, functions_overhead
    from ktrace.bench.guests import agent_round_trip, boot_vs_clone
    from ktrace.bench.session import run_pipe_basic
    from ktrace.bench.steps import checked_vs_unchecked
    from ktrace.cli.guests import Guests

    with Guests(image_name) as guests:
        image, template = guests.image, guests.template
        measures: dict[str, Callable[[], list[Row]]] = {
            "boot-vs-clone": lambda: boot_vs_clone(image, template, runs),
            "agent-round-trip": lambda: agent_round_trip(template, runs),
            "checked-vs-unchecked": lambda: checked_vs_unchecked(image, template, runs),
            "inspect-vs-drgn": lambda: inspect_vs_drgn(image, template, runs),
            "run-pipe-basic": lambda: run_pipe_basic(runs),
            "functions-overhead": lambda: functions_overhead(image, template, runs),
            "events-overhead": lambda: events_overhead(image, template, runs),
        }
        rows: list[Row] = []
        for name in only or NAMES:
            if not as_json:
                click.echo(f"measuring {name}", err=True)
            rows += measures[name]()
    if as_json:
        click.echo(json.dumps([row.as_dict() for row in rows], indent=2))
    else:
        console().print(_table(rows))
    return 0 if all(row.met is not False for row in rows) else 1


def _table(rows: list[Row]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("figure", "unit"):
        table.add_column(heading)
    for heading in ("ours", "against", "ratio", "goal"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for row in rows:
        bound = "" if row.goal is None else f"{'at most' if row.at_most else 'at least'} {row.goal:g}"
        verdict = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}[row.met]
        table.add_row(row.name, row.unit, _number(row.ours), _number(row.against), _number(row.ratio), bound, verdict)
    return table


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
