"""``ktrace report``: write a session as one HTML page."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import click

from ktrace.cli.options import SessionName
from ktrace.errors import KtraceError, UsageError
from ktrace.output_file import output_file
from ktrace.report.page import write_page
from ktrace.trace.session_reader import SessionReader
from ktrace.verify import citations

RULES_LIMIT = 20_000_000
"""Bytes of a session up to which the model runs again unasked."""


def _places(reader: SessionReader, names: set[str]) -> Mapping[str, str]:
    """Look the functions up in the kernel that the session ran on, if this machine still has it."""
    from ktrace.image.image import find_image
    from ktrace.inspect.trace.source_lines import places

    try:
        image = find_image(str(reader.header.manifest.get("image")), check_inputs=False)
    except KtraceError:
        return {}
    return places(image.vmlinux, names) if image.build_id == reader.header.manifest.get("build_id") else {}


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
    return write_report(session, output or Path("report.html"), rules, _link(source))


def _link(source: str) -> str:
    """Return what a function's file and line are put into.

    :raises UsageError: it is neither a directory nor such a URL
    """
    if "{file}" in source and source.startswith(("https://", "http://", "file://", "vscode://")):
        return source
    if source and not Path(source).is_dir():
        raise UsageError(
            f"{source!r} is no place to link to", "give a directory with the source, or a URL with {file} and {line}"
        )
    return f"{Path(source).resolve().as_uri()}/{{file}}" if source else ""


def write_report(session: Path, output: Path, rules: bool | None = None, source: str = "") -> int:
    """Do what ``ktrace report`` does, and return its exit code.

    :param rules: name the model's rules; ``None``: unless the session is large
    :param source: what functions are linked to
    :raises UsageError: the session cannot be read, or *output* is a directory
    :raises HostError: it cannot be written
    """
    reader = SessionReader(session)
    if rules is None:
        rules = reader.path.stat().st_size <= RULES_LIMIT
    with output_file(output) as file:
        out = io.TextIOWrapper(file, encoding="utf-8", newline="")
        totals = write_page(
            reader,
            out,
            lambda names: _places(reader, names),
            citations.of_session(SessionReader(session)) if rules else (),
            source,
        )
        out.detach().flush()
        size = f", {file.tell() / 1024:.0f} KiB" if file.seekable() else ""
    note = "  (the session was cut off, or is still being written)" if totals.truncated else ""
    click.echo(f"{output}: {totals.steps} steps{size}{note}", err=True)
    return UsageError.exit_code if totals.truncated else 0
