"""``ktrace matrix``: workloads on several kernels, one verdict each, and what was done once is not done again."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ktrace.cli.mistakes import Choice
from ktrace.cli.options import ImageNames, WorkloadName, command_line, memory_option
from ktrace.cli.output import console, notify, worse
from ktrace.cli.progress import StatusLine
from ktrace.errors import UsageError
from ktrace.verify.options import GuestOptions, SessionOptions
from ktrace.workload.library import bundled, chosen

if TYPE_CHECKING:
    from ktrace.verify.matrix.cell import CellVerdict
    from ktrace.verify.matrix.matrix import MatrixOptions

WIDE = 1000
"""Columns of what is no terminal: a row is one line there."""


@click.command()
@click.argument("workloads", nargs=-1, type=WorkloadName())
@click.option("--images", type=ImageNames(), metavar="A,B,C", help="The images; by default all that are in the store.")
@click.option("-k", "words", default="", metavar="TEXT", help="The bundled workloads with TEXT in their name.")
@click.option(
    "-o", "--output", "directory", type=click.Path(path_type=Path), metavar="DIR",
    help="Keep sessions and verdicts there; what is there from before is not done again.",
)  # fmt: skip
@click.option("--jobs", type=click.IntRange(1, 64), help="Guests at work at a time; by default one for each processor.")
@click.option("--again", is_flag=True, help="Do again what did not agree.")
@click.option("--functions", is_flag=True, help="Record the kernel functions of every step, for ktrace diff.")
@click.option("--accel", type=Choice(["kvm", "tcg"]), help="Use this accelerator, without trying.")
@memory_option
@click.option("--json", "as_json", is_flag=True, help="Print data, one JSON object a line.")
@click.option("-q", "--quiet", is_flag=True, help="Print the last line only.")
def matrix(
    workloads: tuple[str, ...],
    images: tuple[str, ...],
    words: str,
    directory: Path | None,
    jobs: int | None,
    again: bool,
    functions: bool,
    accel: str | None,
    memory_mib: int | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Run WORKLOADS, by default all bundled ones, on every one of several kernels: one verdict each.

    Whoever is stopped, in whatever way, goes on with the same -o DIR; a cell is done again if its image, its script or
    ktrace itself has changed since, or if its guest failed. DIR/IMAGE/WORKLOAD is the session of a cell, for show,
    report and diff. What a kernel has not, such as notification pipes, is "not there", and no failure.

    Exit code 0 if nothing diverged or failed, 1 if something diverged.
    """
    from ktrace.verify.matrix.kept import require_directory
    from ktrace.verify.matrix.matrix import MatrixOptions, images_in_store

    if directory is not None:
        require_directory(directory)
    if again and directory is None:
        raise UsageError("--again is for what was done in a directory", "name it: -o DIR")
    options = MatrixOptions(
        chosen(workloads or (() if words else bundled()), words),
        images or images_in_store(),
        directory or _new_directory(),
        GuestOptions(accel=accel, memory_mib=memory_mib, functions=functions),
        SessionOptions(command=command_line()),
        jobs or os.cpu_count() or 1,
        again,
    )
    done: list[tuple[CellVerdict, bool]] = []
    try:
        _run(options, done, as_json, quiet)
    finally:
        if not as_json and done:
            _tell(options, done, quiet)
    worst = 0
    for verdict, _ in done:
        worst = worse(worst, verdict.exit_code)
    return worst


def _run(options: MatrixOptions, done: list[tuple[CellVerdict, bool]], as_json: bool, quiet: bool) -> None:
    """Fill *done*, telling who watches how far it is."""
    from ktrace.verify.matrix.matrix import run_matrix

    total = len(options.workloads) * len(options.images)
    line = StatusLine(wanted=not as_json)

    def say(text: str) -> None:
        line.clear()
        notify(text)

    for verdict, before in run_matrix(options, say):
        done.append((verdict, before))
        if as_json:
            click.echo(json.dumps({**asdict(verdict), "before": before, "exit_code": verdict.exit_code}))
        elif not before and verdict.exit_code and line.on:
            say(f"{verdict.workload} on {verdict.image}: {verdict.status}: {verdict.message}")
        line.show(f"{len(done)} of {total}: {verdict.workload} on {verdict.image} {verdict.status}")
    line.clear()


def _tell(options: MatrixOptions, done: list[tuple[CellVerdict, bool]], quiet: bool) -> None:
    """Print the table, whatever stands behind its words, and the sum."""
    from ktrace.report.matrix import matrix_table, reasons
    from ktrace.verify.matrix.matrix import summarize

    verdicts = [verdict for verdict, _ in done]
    if not quiet:
        out = console()
        if not out.is_terminal:
            out.width = WIDE
        out.print(matrix_table(options.workloads, options.images, verdicts))
        for text in reasons(verdicts):
            click.echo(text)
    click.echo(summarize(done, len(options.workloads) * len(options.images)).text)
    click.echo(f"kept in {options.directory}")


def _new_directory() -> Path:
    """Return a directory for a matrix that nobody named one for."""
    from ktrace.trace.session import new_directory, sessions_directory

    return new_directory("matrix", sessions_directory().parent / "matrices")
