"""A matrix's directory: the sessions of its cells with their verdicts, which are all there is to go on with."""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import ktrace
from ktrace.errors import HostError, UsageError
from ktrace.image.store import write_json
from ktrace.trace.session import FILE_NAME
from ktrace.verify.matrix.cell import FINAL, Cell, CellVerdict
from ktrace.workload.script import Script

VERDICT = "verdict.json"
_LOCK = "lock"
_MARK = "matrix.json"
_FORMAT = 1

WITH_SESSION = ("agreed", "diverged")
"""What can be said of a cell that has a session."""


class Kept:
    """Keep verdicts in *directory*, each beside its session, written whole or not at all.

    :raises UsageError: there is something else in it, or another process is at work in it
    :raises HostError: it cannot be made
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Make the directory, if it is not there, and keep others out of it.

        :raises UsageError: there is something else in it, or another process is at work in it
        :raises HostError: it cannot be made, or read
        """
        mark = self.directory / _MARK
        try:
            require_directory(self.directory)
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not mark.exists():
                if any(name.name != _LOCK for name in self.directory.iterdir()):
                    raise UsageError(
                        f"{str(self.directory)!r} is no directory of a matrix",
                        "name one that is empty, or not there yet",
                    )
                write_json(mark, {"matrix": _FORMAT})
            with (self.directory / _LOCK).open("w") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise UsageError(
                        f"another ktrace matrix is at work in {str(self.directory)!r}", "wait for it, or name another"
                    ) from None
                yield
        except OSError as error:
            raise HostError(f"cannot work in {str(self.directory)!r}: {error.strerror}") from error

    def place(self, cell: Cell) -> Path:
        """Return where the session of *cell* is."""
        return self.directory / cell.image / cell.place

    def read(self, cell: Cell, identity: dict[str, Any]) -> CellVerdict | None:
        """Return what became of *cell*; ``None`` where it was not done, or not so, or may go otherwise now."""
        try:
            found = json.loads((self.place(cell) / VERDICT).read_text("utf-8"))
            verdict = CellVerdict(**{**found["verdict"], "left_out": tuple(found["verdict"]["left_out"])})
        except (OSError, ValueError, LookupError, TypeError):
            return None
        if verdict.status in WITH_SESSION and not (self.place(cell) / FILE_NAME).is_file():
            return None  # somebody took the session away
        return verdict if found["identity"] == identity and verdict.status in FINAL else None

    def begin(self, cell: Cell) -> Path:
        """Make the directory of *cell* and forget what became of it before.

        :raises HostError: it cannot be made
        """
        place = self.place(cell)
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            (place / VERDICT).unlink(missing_ok=True)
        except OSError as error:
            raise HostError(f"cannot work in {str(place)!r}: {error.strerror}") from error
        return place

    def write(self, cell: Cell, identity: dict[str, Any], verdict: CellVerdict) -> None:
        """Keep what became of *cell*.

        :raises HostError: it cannot be written
        """
        try:
            write_json(self.place(cell) / VERDICT, {"identity": identity, "verdict": asdict(verdict)})
        except OSError as error:
            raise HostError(f"cannot write in {str(self.place(cell))!r}: {error.strerror}") from error


def identity_of(image_key: str, script: Script, functions: bool, paths: Path | None = None) -> dict[str, Any]:
    """Return what a verdict is of: it holds for this kernel, this script, this ktrace, and what was recorded.

    :param image_key: digest that names the image in the store
    :param paths: what recorded functions are held against, where there is such a file
    """
    text = "\n".join(script.lines)
    expected = paths.read_bytes() if functions and paths is not None and paths.exists() else b""
    return {
        "image": image_key,
        "script": hashlib.sha256(text.encode()).hexdigest(),
        "functions": functions,
        "paths": hashlib.sha256(expected).hexdigest(),
        "ktrace": code_digest(),
    }


@cache
def code_digest() -> str:
    """Return a digest of ktrace itself: another model may judge otherwise."""
    root = Path(ktrace.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def require_directory(path: Path) -> None:
    """Make sure that *path* is a directory, or nothing yet.

    :raises UsageError: it is something else
    """
    if path.exists() and not path.is_dir():
        raise UsageError(f"{str(path)!r} is no directory", "name one that is empty, or not there yet")
