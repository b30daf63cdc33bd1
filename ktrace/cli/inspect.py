"""``ktrace inspect``: show a guest's live structures."""

from __future__ import annotations

import json

import click

from ktrace.cli.target import open_target
from ktrace.report.structures import GROUPS, describe, select
from ktrace.state.codec import encode
from ktrace.state.naming import Namer


@click.command()
@click.argument("what", type=click.Choice([*GROUPS, "all"]))
@click.argument("target", required=False)
@click.option("--image", default="lab-6.1", show_default=True, help="The image to run a workload on.")
@click.option("--json", "as_json", is_flag=True, help="Print data.")
def inspect(what: str, target: str | None, image: str, as_json: bool) -> None:
    """Show WHAT of the guest that TARGET names.

    TARGET is a session whose guest still runs (default: the newest; see run --hold), or WORKLOAD[:STEP], which is
    run up to that step first.
    """
    with open_target(target, image) as inspector:
        found = select(Namer().name(inspector.observe()), what)
    if as_json:
        click.echo(json.dumps({f"{ref.kind}:{ref.key}": encode(value) for ref, value in found.items()}))
        return
    for ref, value in found.items():
        for line in describe(ref, value):
            click.echo(line)
    if not found:
        click.echo(f"no {what}", err=True)
