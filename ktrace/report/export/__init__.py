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

Opener = Callable[[], SessionReader]
"""Open the session, once more."""
Exporter = Callable[[Opener], Iterator[bytes]]


def export(path: Path, form: str, read: Callable[[int], object] | None = None) -> Iterator[bytes]:
    """Yield the session at *path* in the format *form*, piece by piece.

    :param form: one of :data:`FORMATS`
    :param read: told the number of every step as it is read
    :raises UsageError: the session cannot be read
    """
    try:
        yield from FORMATS[form](lambda: SessionReader(path, read))
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise UsageError(f"{str(path)!r}: {what_lacks(error)}") from error


def _marks(reader: SessionReader) -> Iterator[Mark]:
    return Timeline().marks(reader.records())


def _perfetto(opened: Opener) -> Iterator[bytes]:
    reader = opened()
    yield from perfetto(reader.header.title, _marks(reader))


def _chrome(opened: Opener) -> Iterator[bytes]:
    reader = opened()
    yield from _encoded(chrome(reader.header.title, _marks(reader)))


def _ftrace(opened: Opener) -> Iterator[bytes]:
    yield from _encoded(ftrace(_marks(opened())))


def _ktap(opened: Opener) -> Iterator[bytes]:
    total, reader = totals(opened().records()), opened()
    yield from _encoded(ktap(reader.header.title, cases(reader.records()), total))


def _junit(opened: Opener) -> Iterator[bytes]:
    total, reader = totals(opened().records()), opened()
    yield from _encoded(junit(reader.header.title, cases(reader.records()), total))


def _csv(opened: Opener) -> Iterator[bytes]:
    yield from _encoded(table(opened()))


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
