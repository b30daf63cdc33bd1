"""``ktrace run``: run workloads in fresh guests and prove every step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ktrace.cli.output import View, view_options
from ktrace.errors import GuestError, ModelError, UsageError
from ktrace.trace.session import End, new_directory
from ktrace.verify.paths import paths_file
from ktrace.workload.library import bundled, load, titles
from ktrace.workload.script import Script

if TYPE_CHECKING:
    from ktrace.cli.guests import Guests


@click.command()
@click.argument("workloads", nargs=-1)
@click.option("--list", "list_them", is_flag=True, help="List the bundled workloads.")
@click.option("--all", "all_of_them", is_flag=True, help="Run every bundled workload.")
@click.option("--image", "image_name", default="lab-6.1", show_default=True, help="The image to boot.")
@click.option("--session", "directory", type=click.Path(path_type=Path), help="Write the session there.")
@click.option("--accel", type=click.Choice(["kvm", "tcg"]), help="Use this accelerator, without trying.")
@click.option("--hold", is_flag=True, help="Keep the guest at the workload's end, for inspect and shell.")
@click.option("--functions", is_flag=True, help="Record the kernel functions that each step goes through.")
@click.option("--plain", is_flag=True, help="Without the functions and probes that the script asks for.")
@click.option(
    "--checkpoint",
    type=click.IntRange(1),
    is_flag=False,
    flag_value=1,
    default=None,
    metavar="[EVERY]",
    help="Save the guest after each step, or each EVERY steps, for ktrace goto.",
)
@click.option("--report", "page", type=click.Path(path_type=Path), help="Write the session as an HTML page, too.")
@click.option(
    "--probe",
    "probes",
    multiple=True,
    metavar="'FUNCTION EXPR; EXPR'",
    help="Show this whenever an actor enters FUNCTION.",
)
@click.option(
    "--event",
    "events",
    multiple=True,
    metavar="'SYSTEM:TRACEPOINT' or 'FUNCTION[%return] EXPR; EXPR'",
    help="Record this tracepoint or kprobe with each step.",
)
@click.option("--validate", is_flag=True, help="Check memory against itself after every step, too.")
@view_options
def run(
    workloads: tuple[str, ...],
    list_them: bool,
    all_of_them: bool,
    image_name: str,
    directory: Path | None,
    accel: str | None,
    hold: bool,
    functions: bool,
    plain: bool,
    checkpoint: int | None,
    page: Path | None,
    probes: tuple[str, ...],
    events: tuple[str, ...],
    validate: bool,
    view: View,
) -> int:
    """Run WORKLOADS, bundled ones by name or scripts by path, each in a guest of its own.

    A script that is run alone gets the functions and probes that it asks for ('with functions', 'with probe').
    Exit code 0 if every step was what the model says, 1 if one was not.
    """
    if list_them:
        return _list(view.is_json)
    if workloads == ("seed",):
        from ktrace.cli.seed import run_seed

        return run_seed(image_name, as_json=view.is_json)
    if all_of_them:
        workloads = (*workloads, *bundled())
    if not workloads:
        raise UsageError("which workload?", "see: ktrace run --list")
    if page is not None and (len(workloads) > 1 or view.is_json):
        raise UsageError("--report takes one workload, and no --json", "write the others with: ktrace report SESSION")
    if checkpoint and len(workloads) > 1:
        raise UsageError("--checkpoint takes one workload", "run them one by one")
    scripts = [load(name) for name in workloads]
    if directory is not None and len(scripts) > 1:
        raise UsageError("--session takes one workload", "leave it out to have a directory made for each")
    from ktrace.cli.guests import Guests
    from ktrace.verify.events import parse_event
    from ktrace.verify.probe import parse_target

    targets = tuple(map(parse_target, probes))
    recorded = tuple(map(parse_event, events))

    if len(scripts) == 1:
        if not plain:
            functions = functions or scripts[0].functions
            targets += tuple(map(parse_target, scripts[0].probes))
        if checkpoint and targets:
            raise UsageError("--checkpoint and probes do not go together", "leave out --probe, or add --plain")
        if page is not None and directory is None:
            directory = new_directory(scripts[0].name or "workload")
        with Guests(image_name, accel, functions, targets, recorded) as guests:
            paths = paths_file(workloads[0])
            end = guests.run(scripts[0], view, directory, hold, paths, validate, checkpoint or 0)
        if page is not None and directory is not None:
            from ktrace.cli.report import write_report

            write_report(directory, page)
        return 0 if end.status == "agreed" else 1
    with Guests(image_name, accel, functions, targets, recorded) as guests:
        return _run_several(guests, dict(zip(workloads, scripts, strict=True)), view, validate)


def _run_several(guests: Guests, scripts: dict[str, Script], view: View, validate: bool) -> int:
    """Run one after the other; one that cannot be run does not keep the others from it."""
    ends: list[End] = []
    worst = 0
    for name, script in scripts.items():
        try:
            ends.append(guests.run(script, view.only_verdicts(), None, paths=paths_file(name), validate=validate))
            worst = max(worst, ends[-1].status != "agreed")
        except (UsageError, GuestError, ModelError) as error:
            click.echo(f"{script.name}: {error.blame}: {error.message}", err=True)
            worst = max(worst, error.exit_code)
    if not view.is_json:
        agreed = sum(end.status == "agreed" for end in ends)
        steps, fields = sum(end.steps for end in ends), sum(end.fields for end in ends)
        click.echo(f"{agreed} of {len(scripts)} workloads agreed: {steps} steps, {fields} fields compared")
    return worst


def _list(as_json: bool) -> int:
    entries = titles()
    if as_json:
        click.echo(json.dumps([{"name": name, "title": title} for name, title in entries.items()]))
        return 0
    width = max(map(len, entries))
    for name, title in entries.items():
        click.echo(f"{name:<{width}}  {title}")
    return 0
