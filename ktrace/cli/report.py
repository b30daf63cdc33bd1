"""``ktrace report``: write a session as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ktrace.cli.options import SessionName
from ktrace.cli.output import notify
from ktrace.cli.progress import Progress
from ktrace.errors import UsageError
from ktrace.trace.session import expected_steps

if TYPE_CHECKING:
    from ktrace.report.session_page import WrittenPage


@click.command()
@click.argument("session", type=SessionName())
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file to write.  [default: report.html]")
@click.option(
    "--rules/--no-rules",
    default=None,
    help="Name the model's rules behind each step, which runs the model again.  [default: for up to 20 MB]",
)
@click.option(
    "--source",
    default="",
    metavar="DIR|URL",
    help="Link functions to their source there; a URL has {file} and {line} in it.",
)
def report(session: Path, output: Path | None, rules: bool | None, source: str) -> int:
    """Write SESSION as one self-contained HTML page to look through in a browser.

    Exit code 2 if SESSION was cut off; the page has what there is.
    """
    from ktrace.report.session_page import source_link, write_report

    with Progress("writing the page", expected_steps(session)) as progress:
        page = write_report(session, output or Path("report.html"), rules, source_link(source), progress)
    tell_of(page)
    return UsageError.exit_code if page.truncated else 0


def tell_of(page: WrittenPage) -> None:
    """Say what was written."""
    size = "" if page.size is None else f", {page.size / 1024:.0f} KiB"
    note = "  (the session was cut off, or is still being written)" if page.truncated else ""
    notify(f"{page.path}: {page.steps} steps{size}{note}")
