"""``ktrace probe``: stop at a kernel function in the middle of a call, and show what is there."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import click
from rich.text import Text

from ktrace.cli.options import WorkloadName, guest_options
from ktrace.cli.output import console, notify
from ktrace.errors import UsageError
from ktrace.state.step import Step
from ktrace.state.trace.probe import Hit
from ktrace.trace.session import counted
from ktrace.verify.options import GuestOptions


@click.command()
@click.argument("function")
@click.argument("workload", type=WorkloadName())
@click.option(
    "--show", "expressions", multiple=True, metavar="EXPR", help="Show this: sk->sk_socket->state, task.comm, ..."
)
@click.option("--stack", is_flag=True, help="Show the callers, too.")
@click.option(
    "--limit", type=click.IntRange(1), default=1000, show_default=True, help="Stop looking after so many hits."
)
@guest_options()
@click.option("--json", "as_json", is_flag=True, help="Print data, one JSON object a hit.")
def probe(
    function: str,
    workload: str,
    expressions: tuple[str, ...],
    stack: bool,
    limit: int,
    guest: GuestOptions,
    as_json: bool,
) -> int:
    """Run WORKLOAD and stop whenever one of its actors enters FUNCTION; show arguments and EXPRs as they are then.

    Exit code 2 if the function is never entered.
    """
    from ktrace.verify.guests import prepare_guests
    from ktrace.verify.probing.breakpoints import ProbeTarget
    from ktrace.verify.probing.hits import steps_with_hits
    from ktrace.workload.library import load

    script = load(workload)
    count = 0
    guests = prepare_guests(replace(guest, probes=(ProbeTarget(function, expressions),)), notify)
    for step in steps_with_hits(guests, script, limit):
        count += len(step.probes)
        for index, hit in enumerate(step.probes):
            if as_json:
                click.echo(json.dumps({"step": step.number, **asdict(hit)}))
            else:
                _print(step, hit, index == 0, stack)
    if not count:
        raise UsageError(f"no actor of {workload} enters {function}()", "what they go through: ktrace run --functions")
    if not as_json:
        click.echo(counted(count, "hit"))
    return 0


def _print(step: Step, hit: Hit, first: bool, stack: bool) -> None:
    out = console()
    if first:
        who = f"{step.actor}: " if step.actor else ""
        out.print(Text(f"{step.number:4} {who}{step.text} = {step.answer}", "bold"), soft_wrap=True)
    arguments = ", ".join(f"{name}={value}" for name, value in hit.arguments.items())
    out.print(Text(f"     {hit.actor} in {hit.function}({arguments})"), soft_wrap=True)
    for text, value in hit.shown.items():
        several = value.replace("\n", "\n" + " " * 12)
        out.print(Text.assemble((f"        {text} = ", "cyan"), several), soft_wrap=True)
    if stack:
        out.print(Text(f"        called by {' < '.join(hit.stack)}", "dim"), soft_wrap=True)
