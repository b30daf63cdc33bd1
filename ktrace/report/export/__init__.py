"""Sessions in the formats that other tools read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ktrace.errors import UsageError
from ktrace.report.export.chrome import chrome
from ktrace.report.export.ftrace import ftrace
from ktrace.report.export.perfetto import perfetto
from ktrace.report.export.results import cases, junit, ktap, totals
from ktrace.report.export.table import table
from ktrace.report.export.timeline import Mark, Timeline
from ktrace.trace.session_reader import SessionReader, what_lacks

Exporter = Callable[[Path], Iterator[bytes]]


def export(path: Path, form: str) -> Iterator[bytes]:
    """Yield the session at *path* in the format *form*, piece by piece.

    :param form: one of :data:`FORMATS`
    :raises UsageError: the session cannot be read
    """
    try:
        yield from FORMATS[form](path)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise UsageError(f"{str(path)!r}: {what_lacks(error)}") from error


def _marks(reader: SessionReader) -> Iterator[Mark]:
    return Timeline().marks(reader.records())


def _perfetto(path: Path) -> Iterator[bytes]:
    reader = SessionReader(path)
    yield from perfetto(reader.header.title, _marks(reader))


def _chrome(path: Path) -> Iterator[bytes]:
    reader = SessionReader(path)
    yield from _encoded(chrome(reader.header.title, _marks(reader)))


def _ftrace(path: Path) -> Iterator[bytes]:
    yield from _encoded(ftrace(_marks(SessionReader(path))))


def _ktap(path: Path) -> Iterator[bytes]:
    total, reader = totals(SessionReader(path).records()), SessionReader(path)
    yield from _encoded(ktap(reader.header.title, cases(reader.records()), total))


def _junit(path: Path) -> Iterator[bytes]:
    total, reader = totals(SessionReader(path).records()), SessionReader(path)
    yield from _encoded(junit(reader.header.title, cases(reader.records()), total))


def _csv(path: Path) -> Iterator[bytes]:
    yield from _encoded(table(SessionReader(path)))


def _encoded(parts: Iterator[Any]) -> Iterator[bytes]:
    for part in parts:
        yield part.encode("utf-8", "replace")


FORMATS: Mapping[str, Exporter] = {
    "perfetto": _perfetto,
    "chrome": _chrome,
    "ftrace": _ftrace,
    "ktap": _ktap,
    "junit": _junit,
    "csv": _csv,
}
"""What can be written, by name."""
