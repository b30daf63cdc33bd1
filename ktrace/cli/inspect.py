"""``ktrace inspect``: show a guest's live structures."""

from __future__ import annotations

import json

import click

from ktrace.cli.output import console
from ktrace.cli.target import open_target
from ktrace.report.pictures import picture, subject
from ktrace.report.structures import GROUPS, describe, select
from ktrace.state.codec import encode
from ktrace.state.naming import Namer


@click.command()
@click.argument("what", type=click.Choice([*GROUPS, "all"]))
@click.argument("target", required=False)
@click.option("--image", default="lab-6.1", show_default=True, help="The image to run a workload on.")
@click.option("--json", "as_json", is_flag=True, help="Print data.")
@click.option("--picture/--no-picture", "pictures", default=True, help="Draw pipes, queues, ... above their members.")
def inspect(what: str, target: str | None, image: str, as_json: bool, pictures: bool) -> None:
    """Show WHAT of the guest that TARGET names.

    TARGET is a session whose guest still runs (default: the newest; see run --hold), or WORKLOAD[:STEP], which is
    run up to that step first.
    """
    with open_target(target, image) as inspector:
        world = Namer().name(inspector.observe())
    found = select(world, what)
    if as_json:
        click.echo(json.dumps({f"{ref.kind}:{ref.key}": encode(value) for ref, value in found.items()}))
        return
    out = console()
    for ref, value in found.items():
        if pictures and subject(world, ref) == ref:
            for row in picture(world, ref):
                out.print(row)
        for line in describe(ref, value):
            click.echo(line)
    if not found:
        click.echo(f"no {what}", err=True)
