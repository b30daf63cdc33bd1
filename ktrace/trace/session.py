"""What a session is told by: its start, its steps, verdicts, its end; and where it lies."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ktrace.errors import GuestError, HostError, UsageError
from ktrace.state.compare import Difference
from ktrace.state.ref import Ref
from ktrace.state.rule import Choice, Rule
from ktrace.state.step import Step
from ktrace.state.world import World

FILE_NAME = "session.jsonl"
UNCHECKED = "unchecked"
"""How a session ends whose steps were not held against the model: ``ktrace check`` does it."""
_TAIL = 1 << 14
"""Bytes in which the last line of a session begins."""


@dataclass(frozen=True)
class Header:
    """Say what a session is of.

    :param title: of the workload
    :param facts: what the model was told of the kernel, by subsystem
    :param manifest: image, build-id, ktrace's version, command line, accelerator
    :param initial: the World before the first step
    :param clocks: one moment by two clocks of the guest, in ns: CLOCK_REALTIME, by which steps are timed, and
        ``sched_clock()``, by which functions and events are
    :param addresses: where the objects of *initial* are, by their names
    """

    title: str
    facts: Mapping[str, Any]
    manifest: Mapping[str, Any]
    initial: World = field(default_factory=World)
    clocks: tuple[int, int] | None = None
    addresses: Mapping[Ref, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Choices:
    """What the kernel did in a step that the model could not predict, and by which rules it might."""

    number: int
    choices: tuple[Choice, ...]

    def by_rule(self) -> dict[Rule, list[Choice]]:
        """Return them by rule, in the order of first use."""
        found: dict[Rule, list[Choice]] = {}
        for choice in self.choices:
            found.setdefault(choice.rule, []).append(choice)
        return found


@dataclass(frozen=True)
class Verdict:
    """What became of a step's check: the differences, or none."""

    number: int
    differences: tuple[Difference, ...]
    rules: tuple[str, ...] = ()
    complaints: tuple[str, ...] = ()


@dataclass(frozen=True)
class End:
    """How a session ended: ``agreed``, ``diverged``, ``cut off``, or who failed, with the totals.

    A session that was cut off, or that has no step, agreed to nothing: it is ``cut off`` or ``empty``.

    :param held: how many of *fields* were only held to a rule that leaves the kernel a choice
    """

    status: str
    steps: int
    objects: int
    fields: int
    message: str = ""
    held: int = 0

    @property
    def exit_code(self) -> int:
        """Exit code of a command whose result this is: 1 stands for a divergence and for nothing else."""
        return {"agreed": 0, "diverged": 1}.get(self.status, UsageError.exit_code)

    @property
    def totals(self) -> str:
        """What was compared, in words."""
        by_rule = f", {self.held} of them with a rule's leave" if self.held else ""
        return (
            f"{counted(self.steps, 'step')}, {counted(self.objects, 'object')}, "
            f"{counted(self.fields, 'field')} compared{by_rule}"
        )


def counted(number: int, what: str) -> str:
    """Return how many there are of *what*, an English word that takes an s."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


class Sink(Protocol):
    """Where a session's events go: its file, the terminal, a test."""

    def header(self, header: Header) -> None:
        """Take the start."""

    def step(self, step: Step) -> None:
        """Take one step."""

    def choices(self, choices: Choices) -> None:
        """Take what the kernel chose in the last step, if it did."""

    def verdict(self, verdict: Verdict) -> None:
        """Take the verdict on a step that did not agree."""

    def end(self, end: End, place: str = "") -> None:
        """Take the end; *place* is that of the session's file, if it has one."""


class NullSink:
    """Where events go that nobody wants."""

    def header(self, header: Header) -> None:
        """Drop the start."""

    def step(self, step: Step) -> None:
        """Drop one step."""

    def choices(self, choices: Choices) -> None:
        """Drop what the kernel chose."""

    def verdict(self, verdict: Verdict) -> None:
        """Drop a verdict."""

    def end(self, end: End, place: str = "") -> None:
        """Drop the end."""


def sessions_directory() -> Path:
    """Return where sessions land by default, below the XDG cache."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "ktrace" / "sessions"


def expected_steps(path: Path) -> int | None:
    """Return how many steps the last line of a session says that there are; ``None`` where that cannot be told soon."""
    file = path / FILE_NAME if path.is_dir() else path
    if file.suffix == ".gz" or not file.is_file():  # what others write to may not be opened twice
        return None
    with suppress(OSError, ValueError, LookupError, TypeError, RecursionError), file.open("rb") as stream:
        stream.seek(max(0, stream.seek(0, os.SEEK_END) - _TAIL))
        steps = json.loads(stream.read().splitlines()[-1])["steps"]
        return steps if isinstance(steps, int) else None
    return None


def new_directory(name: str, base: Path | None = None) -> Path:
    """Make a private directory for a session of workload *name*.

    :param base: where; ``None``: where sessions are kept
    :raises HostError: it cannot be made
    """
    base = sessions_directory() if base is None else base
    try:
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            path = base / f"{time.strftime('%Y%m%d-%H%M%S')}-{name}-{os.urandom(2).hex()}"
            try:
                path.mkdir(mode=0o700)
            except FileExistsError:
                continue
            return path
    except OSError as error:
        raise unwritable(base, error) from error


@contextmanager
def scratch_directory(name: str) -> Iterator[Path]:
    """Yield a directory for a guest of which no session is kept; it stays where the guest fails, with its console."""
    try:
        path = new_directory(name)
    except HostError:  # a store that is only to be read
        path = Path(tempfile.mkdtemp(prefix=f"ktrace-{name}-"))
    try:
        yield path
    except GuestError:
        raise
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise
    shutil.rmtree(path, ignore_errors=True)


def unwritable(path: Path, error: OSError) -> HostError:
    """Return what to say when a session cannot be written."""
    hint = (
        "free some space"
        if error.errno == errno.ENOSPC
        else "name another place with --session, or with XDG_CACHE_HOME"
    )
    return HostError(f"cannot write {str(path)!r}: {error.strerror}", hint)
