"""``ktrace bench``: measure on this machine, side by side, against the project's goals or against another build."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from ktrace.bench.measure import Row
from ktrace.bench.names import KERNELS, NAMES
from ktrace.cli.mistakes import Choice
from ktrace.cli.options import guest_options
from ktrace.cli.output import console, notify
from ktrace.errors import FELL_SHORT, KtraceError, UsageError
from ktrace.verify.options import GuestOptions

if TYPE_CHECKING:
    from ktrace.bench.figure import Compared

WIDE = 200
"""Columns of what is no terminal: a figure's row is one line there."""
SEEDS, STEPS = (1, 2), 300
"""What --same makes unless it is told otherwise."""


@click.command()
@click.argument("names", metavar="[NAME]...", type=Choice(NAMES), nargs=-1)
@click.option("--only", type=Choice(NAMES), multiple=True, help="Measure this one only.")
@click.option("--runs", type=click.IntRange(3, 1000), default=11, show_default=True, help="Pairs per figure.")
@guest_options()
@click.option(
    "--against", "other", type=click.Path(path_type=Path), help="Measure the build in this directory as well, in turn."
)
@click.option(
    "--at-least",
    type=click.FloatRange(0),
    help="With --against: exit code 6 if a row is less than so many times better.",
)
@click.option("--same", is_flag=True, help="With --against: measure nothing; do both builds do the same?")
@click.option("--seed", "seeds", type=int, multiple=True, help="With --same.  [default: 1, 2]")
@click.option("--steps", type=click.IntRange(1), help="With --same: of fuzz, per family and seed.  [default: 300]")
@click.option("--json", "as_json", is_flag=True, help="Print data.")
def bench(
    names: tuple[str, ...],
    only: tuple[str, ...],
    runs: int,
    guest: GuestOptions,
    other: Path | None,
    at_least: float | None,
    same: bool,
    seeds: tuple[int, ...],
    steps: int | None,
    as_json: bool,
) -> int:
    """Measure what ktrace promises, or of it what is named: medians, and ratios of what ran side by side.

    Exit code 6 if a goal was missed.

    With --against DIR, the same benches run in the build in DIR as well, a checkout of any revision, pair by pair in
    turn. "times better" is above 1 where this build is better. With --same, both make the actions of ktrace fuzz and
    replay the recorded traces; exit code 6 if actions or counts differ.
    """
    only = (*names, *only)
    if not same and (seeds or steps is not None):
        raise UsageError(f"{'--seed' if seeds else '--steps'} says what --same makes", "add --same, or leave it out")
    if other is None:
        if at_least is not None or same:
            raise UsageError(f"{'--same' if same else '--at-least'} needs another build", "give --against DIR")
        return _on_its_own(only, runs, guest, as_json)
    if same:
        if at_least is not None or only:
            raise UsageError(f"--same measures nothing: leave out {'--only' if only else '--at-least'}")
        return _same(other, seeds or SEEDS, steps or STEPS, guest, as_json)
    return _against(other, only, runs, guest, at_least, as_json)


def _on_its_own(only: tuple[str, ...], runs: int, guest: GuestOptions, as_json: bool) -> int:
    from ktrace.bench.this_build import measure_this_build

    rows: list[Row] = []
    for more in measure_this_build(only or NAMES, runs, guest, lambda text: _tell(text, as_json), notify):
        rows += more
    if as_json:
        click.echo(json.dumps([row.as_dict() for row in rows], indent=2))
    else:
        _print(_table(rows))
    return 0 if all(row.met is not False for row in rows) else FELL_SHORT


def _against(
    other: Path, only: tuple[str, ...], runs: int, guest: GuestOptions, at_least: float | None, as_json: bool
) -> int:
    from ktrace.bench.against import compare_builds
    from ktrace.bench.builds import two_builds

    rows: list[Compared] = []
    failed: KtraceError | None = None
    with two_builds(other) as (ours, theirs):
        try:
            names = only or tuple(name for name in NAMES if name not in KERNELS)
            for more in compare_builds(ours, theirs, names, runs, guest, not only, lambda text: _tell(text, as_json)):
                rows += more
        except KtraceError as error:
            failed = error
    if as_json:
        click.echo(json.dumps([{**row.as_dict(), "below": row.below(at_least)} for row in rows], indent=2))
    elif rows:
        _print(_compared(rows, str(other), at_least))
    if failed is not None:
        raise failed  # what was measured before that is printed
    return FELL_SHORT if any(row.below(at_least) for row in rows) else 0


def _same(other: Path, seeds: tuple[int, ...], steps: int, guest: GuestOptions, as_json: bool) -> int:
    from ktrace.bench.builds import two_builds
    from ktrace.bench.same import hold_against

    with two_builds(other) as (ours, theirs):
        done = list(hold_against(ours, theirs, seeds, steps, guest, lambda text: _tell(text, as_json)))
    different = [same for same in done if not same.equal]
    if as_json:
        click.echo(json.dumps([same.as_dict() for same in done], indent=2))
    else:
        for same in different:
            click.echo(f"{same.what}\n  this build: {same.ours}\n  {other}: {same.other}")
        click.echo(f"{len(done) - len(different)} of {len(done)} are the same")
    return FELL_SHORT if different else 0


def _tell(text: str, quiet: bool) -> None:
    if not quiet:
        click.echo(text, err=True)


def _print(table: Table) -> None:
    out = console()
    if not out.is_terminal:
        out.width = WIDE
    out.print(table)


def _compared(rows: list[Compared], other: str, at_least: float | None) -> Table:
    table = Table(box=None, pad_edge=False, caption_justify="left")
    table.caption = (
        f"other build: {other}\ntimes better: median of the pairs, above 1 where this build is better\n"
        "of the best: the same of the best that each build did, which varies less on a busy machine"
    )
    for heading in ("figure", "unit", "better"):
        table.add_column(heading)
    for heading in ("this build", "other build", "times better", "from", "to", "of the best"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for row in rows:
        numbers = map(_number, (row.ours, row.other, row.ratio, row.lowest, row.highest, row.best))
        verdict = f"[red]below {at_least:g}[/]" if at_least is not None and row.below(at_least) else row.note
        table.add_row(row.name, row.unit, row.better or "", *numbers, verdict)
    return table


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
