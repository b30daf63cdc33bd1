"""``ktrace seed``: audit the notes that this project grew from, chapter by chapter, on the live kernel."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import click

from ktrace.cli.options import guest_options
from ktrace.cli.output import console, notify
from ktrace.verify.options import GuestOptions

if TYPE_CHECKING:
    from ktrace.seed.audit import ChapterVerdict


@click.command()
@guest_options("The kernel to hold the notes against.")
@click.option("--chapter", "only", multiple=True, help="Only this one.")
@click.option("--json", "as_json", is_flag=True, help="Print data, one JSON object a chapter.")
@click.option("-v", "--verbose", is_flag=True, help="Print every member and every path.")
def seed(guest: GuestOptions, only: tuple[str, ...], as_json: bool, verbose: bool) -> int:
    """Audit the seed: each structure against DWARF, each call tree against the recorded one, each claim measured.

    Exit code 0 if the audit could be done and kernel and model agree, whatever it says of the seed.
    """
    return run_seed(guest, only, as_json, verbose)


def run_seed(guest: GuestOptions, only: tuple[str, ...] = (), as_json: bool = False, verbose: bool = False) -> int:
    """Do what ``ktrace seed`` does."""
    from ktrace.seed.audit import audit, chosen_chapters
    from ktrace.seed.view import print_chapter, print_totals
    from ktrace.verify.guests import prepare_guests

    chapters = chosen_chapters(only)
    done: list[ChapterVerdict] = []
    out = console()
    for number, verdict in audit(prepare_guests(replace(guest, functions=True), notify), chapters):
        done.append(verdict)
        if as_json:
            click.echo(json.dumps({"image": guest.image, **asdict(verdict)}, default=str))
        else:
            print_chapter(out, verdict, number, verbose)
    if not as_json:
        print_totals(out, done)
    return 1 if any(verdict.differences for verdict in done) else 0
