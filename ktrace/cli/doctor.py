"""``ktrace doctor``: what is missing on this machine, what works, and how to get it."""

from __future__ import annotations

import json
import sys

import click

from ktrace.cli.lines import styled
from ktrace.doctor.check import Check, Verdict
from ktrace.doctor.host import examine_host, missing_packages

_STYLE = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.MISSING: "red"}


def _say(check: Check) -> None:
    styled(sys.stdout, (f"{check.verdict:<8}", _STYLE[check.verdict]), f" {check.name:<20} {check.found}")
    if check.remedy:
        click.echo(f"{'':<29} -> {check.remedy}")


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Say what is missing on this machine, what works, and how to get it (exit code 3 if something is missing)."""
    checks = examine_host()
    missing = [check.name for check in checks if check.verdict is Verdict.MISSING]
    if as_json:
        click.echo(json.dumps([check.as_dict() for check in checks], indent=2))
    else:
        for check in checks:
            _say(check)
        click.echo()
        if packages := missing_packages(checks):
            click.echo(f"as root: apt-get install {' '.join(packages)}")
        click.echo(f"missing: {', '.join(missing)}" if missing else "everything that ktrace needs is here")
    if missing:
        context.exit(3)
