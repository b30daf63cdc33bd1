"""``ktrace run``: run workloads in fresh guests and prove every step."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ktrace.cli.options import WorkloadName, guest_options, recording_options, session_options
from ktrace.cli.output import View, notify, view_options, worse
from ktrace.cli.progress import Counted, Progress
from ktrace.errors import GuestError, ModelError, UsageError
from ktrace.output_file import check_output
from ktrace.state.conditions import conditions
from ktrace.trace.session import End, Header, new_directory
from ktrace.verify.options import GuestOptions, RunOptions, SessionOptions
from ktrace.workload.library import bundled, chosen, load, titles
from ktrace.workload.script import Script

if TYPE_CHECKING:
    from ktrace.verify.guests import Guests


@click.command()
@click.argument("workloads", nargs=-1, type=WorkloadName())
@click.option("--list", "list_them", is_flag=True, help="List the bundled workloads.")
@click.option("--all", "all_of_them", is_flag=True, help="Run every bundled workload.")
@click.option("-k", "words", default="", metavar="TEXT", help="Run the bundled workloads with TEXT in their name.")
@guest_options(accel=True)
@recording_options
@session_options
@click.option("--plain", is_flag=True, help="Without the functions and probes that the script asks for.")
@click.option("--hold", is_flag=True, help="Keep the guest at the workload's end, for inspect, shell and console.")
@click.option("--report", "page", type=click.Path(path_type=Path), help="Write the session as an HTML page, too.")
@view_options
def run(
    workloads: tuple[str, ...],
    list_them: bool,
    all_of_them: bool,
    words: str,
    guest: GuestOptions,
    session: SessionOptions,
    plain: bool,
    hold: bool,
    page: Path | None,
    view: View,
) -> int:
    """Run WORKLOADS, bundled ones by name or pattern, scripts by path, or '-', each in a guest of its own.

    A script that is run alone gets the functions and probes that it asks for ('with functions', 'with probe').
    Exit code 0 if every step was what the model says, 1 if one was not.
    """
    if list_them:
        if workloads or all_of_them or words:
            raise UsageError("--list lists them all", "name workloads without it to run them")
        return _list(view.is_json)
    if workloads == ("seed",):
        from ktrace.cli.seed import run_seed

        return run_seed(guest, as_json=view.is_json)
    workloads = chosen((*workloads, *(bundled() if all_of_them else ())), words)
    if page is not None and view.is_json:
        raise UsageError("--report takes one workload, and no --json", "write the others with: ktrace report SESSION")
    options = RunOptions(workloads, guest, session, plain, hold, page)
    if page is not None:
        check_output(page)
    scripts = {name: load(name) for name in workloads}
    if len(workloads) == 1:
        return _run_one(options, scripts[workloads[0]], view)
    return _run_several(options, scripts, view)


def _run_one(options: RunOptions, script: Script, view: View) -> int:
    from ktrace.cli.hold import hold
    from ktrace.verify.guests import prepare_guests
    from ktrace.verify.paths import paths_file
    from ktrace.verify.probing.breakpoints import parse_probe
    from ktrace.verify.sessions import run_session

    options = options.with_recording(script.functions, tuple(map(parse_probe, script.probes)))
    session = replace(options.session, paths=paths_file(options.workloads[0]))
    if options.page is not None and session.directory is None:
        session = replace(session, directory=new_directory(script.name or "workload"))
    guests = prepare_guests(options.guest, notify)
    with Progress("running", wanted=view.is_quiet) as progress:
        sink = Counted(view, progress, partial(_length, script))
        end = run_session(guests, script, sink, session, hold if options.hold else None)
    if options.page is not None and session.directory is not None:
        from ktrace.cli.report import tell_of
        from ktrace.report.session_page import write_report

        tell_of(write_report(session.directory, options.page))
    return end.exit_code


def _run_several(options: RunOptions, scripts: dict[str, Script], view: View) -> int:
    """Run one after the other; one that cannot be run does not keep the others from it."""
    from ktrace.verify.guests import prepare_guests
    from ktrace.verify.paths import paths_file
    from ktrace.verify.sessions import run_session

    guests: Guests = prepare_guests(options.guest, notify)
    ends: list[End] = []
    worst = 0
    for name, script in scripts.items():
        session = replace(options.session, paths=paths_file(name))
        try:
            with Progress(script.name, wanted=not view.is_json) as progress:
                sink = Counted(view.only_verdicts(), progress, partial(_length, script))
                ends.append(run_session(guests, script, sink, session))
            worst = worse(worst, ends[-1].exit_code)
        except (UsageError, GuestError, ModelError) as error:
            click.echo(f"{script.name}: {error.blame}: {error.message}", err=True)
            worst = worse(worst, error.exit_code)
    if not view.is_json:
        agreed = sum(end.status == "agreed" for end in ends)
        steps, fields = sum(end.steps for end in ends), sum(end.fields for end in ends)
        click.echo(f"{agreed} of {len(scripts)} workloads agreed: {steps} steps, {fields} fields compared")
    return worst


def _length(script: Script, header: Header) -> int:
    return script.length(conditions(header.facts))


def _list(as_json: bool) -> int:
    entries = titles()
    if as_json:
        click.echo(json.dumps([{"name": name, "title": title} for name, title in entries.items()]))
        return 0
    width = max(map(len, entries))
    for name, title in entries.items():
        click.echo(f"{name:<{width}}  {title}")
    return 0
