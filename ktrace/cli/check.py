"""``ktrace check``: hold recorded traces against the model, without a guest."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ktrace.cli.options import SessionName
from ktrace.cli.output import View, view_options, worse
from ktrace.cli.progress import Counted, Progress
from ktrace.errors import FELL_SHORT, UsageError
from ktrace.interrupt import held_back
from ktrace.trace.choice_counts import ChoiceCounts, Counting, RuleCount
from ktrace.trace.session import expected_steps


@click.command()
@click.argument("traces", nargs=-1, required=True, type=SessionName())
@click.option(
    "--paths",
    type=click.Path(path_type=Path),
    help="Hold recorded functions against this file.  [default: the one beside the bundled workload]",
)
@click.option("--choices", is_flag=True, help="Count the rules that leave the kernel a choice, over all TRACES.")
@click.option(
    "--perturb", is_flag=True, help="Change one observed value at a time instead, and tell which the check misses."
)
@click.option("--changes", type=click.IntRange(1), help="With --perturb: so many of each step.  [default: 6]")
@click.option("--seed", help="With --perturb: the same seed changes the same.  [default: 0]")
@click.option("--jobs", "-j", type=click.IntRange(1), help="With --perturb: so many traces at a time.  [default: 1]")
@view_options
def check(
    traces: tuple[Path, ...],
    paths: Path | None,
    choices: bool,
    perturb: bool,
    changes: int | None,
    seed: str | None,
    jobs: int | None,
    view: View,
) -> int:
    """Replay recorded TRACES against the reference model; exit code 1 where one diverges, 2 where one was cut off.

    Where a trace has functions, they are held against the paths beside its workload.
    """
    if perturb:
        if choices or paths is not None:
            raise UsageError(f"--perturb checks nothing: leave out {'--choices' if choices else '--paths'}")
        return _perturb(traces, changes or 6, "0" if seed is None else seed, jobs or 1, view)
    for option, given in (("--changes", changes), ("--seed", seed), ("--jobs", jobs)):
        if given is not None:
            raise UsageError(f"{option} is for --perturb", "add that, or leave it out")
    with held_back():  # among them the whole model: --help does not wait for it
        from ktrace.trace.session_reader import SessionReader
        from ktrace.verify.replay import replay

    code = 0
    counts = ChoiceCounts()
    for trace in traces:
        with Progress("checking", expected_steps(trace), wanted=not view.is_json) as progress:
            sink = Counted(view.only_verdicts(), progress)
            end = replay(SessionReader(trace), Counting(counts, sink), paths)
        code = worse(code, end.exit_code)
    if choices and view.is_json:
        click.echo(json.dumps({"event": "rules", "rules": [row.as_dict() for row in counts.rows()]}))
    elif choices:
        _print(counts.rows())
    return code


def _perturb(traces: tuple[Path, ...], changes: int, seed: str, jobs: int, view: View) -> int:
    """Print what the check does not notice, and why; exit code 6 where no rule says why, or the model falls over."""
    with held_back():
        from ktrace.fuzz.perturbing.perturb import perturb
        from ktrace.fuzz.perturbing.plan import plan

    with Progress("reading", wanted=not view.is_json) as progress:
        plans = plan(traces, seed, changes, progress)
    with Progress("changing", wanted=not view.is_json) as progress:
        tally = perturb(plans, jobs, progress)
    if view.is_json:
        click.echo(json.dumps({"event": "perturbed", "seed": seed, **tally.as_dict()}))
        return FELL_SHORT if tally.faults else 0
    share = 100 * tally.noticed / tally.changed if tally.changed else 100.0
    click.echo(
        f"{tally.noticed} of {tally.changed} changes noticed, {share:.2f} %, of {len(tally.kinds)} kinds; seed {seed}\n"
    )
    if tally.unnoticed():
        click.echo("| not noticed | of | what | by which rule |\n|---|---|---|---|")
    for name, kind in tally.unnoticed():
        for rule, count in kind.rules.most_common():
            click.echo(f"| {count} | {kind.changed} | `{name}` | {rule} |")
    for text, rule in tally.missed if view.is_verbose else ():
        click.echo(f"missed {text}: {rule}")
    for text in tally.failures:
        click.echo(f"the model fell over {text}")
    return FELL_SHORT if tally.faults else 0


def _print(rows: list[RuleCount]) -> None:
    """Print a line for each rule, the one used most first."""
    cells = [("used", "steps", "rule", "kernel source")]
    cells += [(str(row.used), str(row.steps), str(row.rule), row.rule.source) for row in rows]
    widths = [max(len(cell[column]) for cell in cells) for column in range(3)]
    for used, steps, rule, source in cells:
        click.echo(f"{used:>{widths[0]}}  {steps:>{widths[1]}}  {rule:<{widths[2]}}  {source}")
    for row in rows:
        if row.refused:
            click.echo(f"not allowed {row.refused} times: {row.rule}")
