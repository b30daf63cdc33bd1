"""``ktrace fuzz``: random calls, guided by the model, each checked against the whole World."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ktrace.cli.options import FamilyNames, Seconds, command_line, guest_options
from ktrace.cli.output import View, notify
from ktrace.cli.progress import StatusLine
from ktrace.fuzz import MOST_JOBS
from ktrace.fuzz.judgement import Judgement
from ktrace.trace.session import NullSink
from ktrace.verify.options import GuestOptions

if TYPE_CHECKING:
    from ktrace.fuzz.campaign import Found, Plan, Report
    from ktrace.verify.guests import Guests

STEPS = 2000
SHRINK_SECONDS = 60.0


@click.command()
@click.option(
    "--family", "asked", type=FamilyNames(), default="", help="Families of calls, with commas between; default all."
)
@guest_options(accel=True)
@click.option(
    "--sound",
    metavar="IMAGE",
    help="The sound kernel: what it does, too, is no divergence.  [default: an imported kernel's recipe]",
)
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same run.")
@click.option("--steps", type=click.IntRange(1), help=f"How many steps; default {STEPS} without --time.")
@click.option("--time", "seconds", type=Seconds(), metavar="SECONDS", help="How many seconds.")
@click.option("--actors", type=click.IntRange(1, 32), default=4, show_default=True, help="How many processes act.")
@click.option("--keep-going", is_flag=True, help="Do not end with the first divergence.")
@click.option(
    "--shrink",
    type=click.FloatRange(0),
    default=SHRINK_SECONDS,
    show_default=True,
    help="Seconds for making it shorter.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    help=f"How many guests at a time; default up to {MOST_JOBS}, one for each CPU. The run is the same.",
)
@click.option("--json", "as_json", is_flag=True, help="Print data.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def fuzz(
    asked: str,
    guest: GuestOptions,
    sound: str | None,
    seed: int,
    steps: int | None,
    seconds: float | None,
    actors: int,
    keep_going: bool,
    shrink: float,
    jobs: int | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Make random calls in fresh guests, most of which do something, and check every step.

    A divergence is made shorter, saved as a script that ``ktrace run`` replays, and printed; exit code 1. What does
    not come again three times of three is unsteady: its session is kept as it was, and it is counted apart, as is
    what the sound kernel does, too.
    """
    from ktrace.fuzz.campaign import Plan
    from ktrace.fuzz.families import chosen_families
    from ktrace.fuzz.hunt import hunt
    from ktrace.fuzz.report_data import report_data
    from ktrace.verify.guests import prepare_guests

    plan = Plan(
        chosen_families(asked), seed, actors, steps if steps or seconds else STEPS, seconds, shrink, keep_going
    )  # fmt: skip
    guests = prepare_guests(guest, notify)
    progress = _Progress(plan, enabled=not quiet and not as_json)
    with hunt(plan, guests, sound, jobs, progress, notify) as report:
        progress.done()
        saved = [_save(guests, plan, found, as_json) for found in report.found]
    if as_json:
        click.echo(json.dumps(report_data(plan, guest.image, report, saved)))
    else:
        click.echo(_summary(plan, report))
    return 1 if report.of(Judgement.DIVERGENCE) else 0


class _Progress:
    """One line on a terminal, written over and over."""

    def __init__(self, plan: Plan, enabled: bool) -> None:
        self._plan = plan
        self._line = StatusLine(enabled)

    def __call__(self, report: Report) -> None:
        if self._line.on:
            of = f" of {self._plan.steps}" if self._plan.steps else ""
            made = f"{report.steps}{of} steps in {report.sequences} sequences"
            self._line.show(f"{made}, {report.seconds:.0f} s, {report.rate:.0f} steps/s")

    def done(self) -> None:
        self._line.clear()


def _save(guests: Guests, plan: Plan, found: Found, quiet: bool) -> dict[str, Any]:
    """Save a finding as a script and, replayed, as a session; say so."""
    from ktrace.fuzz.save import replay_finding, save_finding

    assert found.trial.finding is not None
    guests.require_whole()
    saved = save_finding(plan, found)
    if found.judgement is Judgement.UNSTEADY:
        if not quiet:
            text = f"{saved.text}\n{found.trial.finding.text}\nunsteady: it did not come again"
            click.echo(f"{text}; what was seen: ktrace show {saved.directory}")
        return {"script": str(saved.script), "session": str(saved.directory)}
    if not quiet:
        click.echo(saved.text)
    status = replay_finding(guests, saved, NullSink() if quiet else View(False, 0), command_line())
    if not quiet:
        sound = "the sound kernel does so, too\n" if found.judgement is Judgement.SOUND else ""
        click.echo(f"{found.trial.finding.text}\n{sound}replay it with: ktrace run {saved.script}")
    return {"script": str(saved.script), "session": str(saved.directory), "replay": status}


def _summary(plan: Plan, report: Report) -> str:
    found, unsteady, sound = (len(report.of(judgement)) for judgement in Judgement)
    verdict = "no divergence" if not found else f"{found} divergence{'s' if found > 1 else ''}"
    verdict += f", {unsteady} unsteady" if unsteady else ""
    verdict += f", {sound} that the sound kernel shows, too" if sound else ""
    return (
        f"{verdict}: {report.steps} steps in {report.sequences} sequences of {', '.join(plan.families)}, "
        f"seed {plan.seed}, {report.seconds:.1f} s, {report.rate:.0f} steps/s with the {report.ends} that ended them"
    )
