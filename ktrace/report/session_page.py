"""A session written as a page, with what its kernel and the model say besides: places of functions, names of rules."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ktrace.errors import KtraceError, UsageError
from ktrace.image.image import find_image
from ktrace.inspect.trace.source_lines import places
from ktrace.output_file import output_file
from ktrace.report.page import write_page
from ktrace.trace.session_reader import SessionReader
from ktrace.verify import citations

RULES_LIMIT = 20_000_000
"""Bytes of a session up to which the model runs again unasked."""


@dataclass(frozen=True)
class WrittenPage:
    """A page that was written.

    :param size: its bytes, ``None`` where they went somewhere that cannot tell
    :param truncated: the session was cut off, or is still being written
    """

    path: Path
    steps: int
    size: int | None
    truncated: bool


def write_report(
    session: Path,
    output: Path,
    rules: bool | None = None,
    source: str = "",
    read: Callable[[int], object] | None = None,
) -> WrittenPage:
    """Write *session* as a page.

    :param rules: name the model's rules; ``None``: unless the session is large
    :param source: what functions are linked to, see :func:`source_link`
    :param read: told the number of every step as it is read
    :raises UsageError: the session cannot be read, or *output* is a directory
    :raises HostError: it cannot be written
    """
    reader = SessionReader(session, read)
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
        size = file.tell() if file.seekable() else None
    return WrittenPage(output, totals.steps, size, totals.truncated)


def source_link(source: str) -> str:
    """Return what a function's file and line are put into.

    :param source: a directory, or a URL with ``{file}`` and ``{line}`` in it
    :raises UsageError: it is neither
    """
    if "{file}" in source and source.startswith(("https://", "http://", "file://", "vscode://")):
        return source
    if source and not Path(source).is_dir():
        raise UsageError(
            f"{source!r} is no place to link to", "give a directory with the source, or a URL with {file} and {line}"
        )
    return f"{Path(source).resolve().as_uri()}/{{file}}" if source else ""


def _places(reader: SessionReader, names: set[str]) -> Mapping[str, str]:
    """Look the functions up in the kernel that the session ran on, if this machine still has it."""
    try:
        image = find_image(str(reader.header.manifest.get("image")), check_inputs=False)
    except KtraceError:
        return {}
    return places(image.vmlinux, names) if image.build_id == reader.header.manifest.get("build_id") else {}
