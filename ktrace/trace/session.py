"""Session files: one JSON object per line, appended as it happens, readable when cut off anywhere."""

from __future__ import annotations

import errno
import gzip
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from ktrace.errors import HostError, UsageError
from ktrace.state.call import Call, Outcome
from ktrace.state.codec import decode, encode
from ktrace.state.compare import ABSENT, Difference
from ktrace.state.ref import Ref
from ktrace.state.step import Step
from ktrace.state.trace.functions import FunctionTrace
from ktrace.state.trace.probe import Hit
from ktrace.state.trace.tracepoint import EventTrace, TraceEvent
from ktrace.state.world import World
from ktrace.trace.functions_json import read_functions, write_functions

VERSION = 1
FILE_NAME = "session.jsonl"


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
class Verdict:
    """What became of a step's check: the differences, or none."""

    number: int
    differences: tuple[Difference, ...]
    rules: tuple[str, ...] = ()
    complaints: tuple[str, ...] = ()


@dataclass(frozen=True)
class End:
    """How a session ended: ``agreed``, ``diverged``, or who failed, with the totals."""

    status: str
    steps: int
    objects: int
    fields: int
    message: str = ""


def sessions_directory() -> Path:
    """Return where sessions land by default, below the XDG cache."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "ktrace" / "sessions"


def new_directory(name: str) -> Path:
    """Make a private directory for a session of workload *name*.

    :raises HostError: it cannot be made
    """
    base = sessions_directory()
    try:
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            path = base / f"{time.strftime('%Y%m%d-%H%M%S')}-{name}-{secrets.token_hex(2)}"
            try:
                path.mkdir(mode=0o700)
            except FileExistsError:
                continue
            return path
    except OSError as error:
        raise _unwritable(base, error) from error


class SessionWriter:
    """Append a session's events to its file.

    :raises HostError: the file cannot be written (no space, no permission)
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._world = World()
        try:
            descriptor = os.open(directory / FILE_NAME, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unwritable(directory, error) from error
        self._file: IO[str] = os.fdopen(descriptor, "w", encoding="utf-8")

    def __enter__(self) -> SessionWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._file.close()
        except OSError as error:
            if value is None:
                raise _unwritable(self.directory, error) from error

    def header(self, header: Header) -> None:
        """Write the first line."""
        self._world = header.initial
        self._write(
            {
                "ktrace_session": VERSION,
                "title": header.title,
                "facts": encode(header.facts),
                "manifest": dict(header.manifest),
                "initial": encode(header.initial.objects),
                **({} if header.clocks is None else {"clocks": header.clocks}),
                **({"at": _write_addresses(header.addresses)} if header.addresses else {}),
            }
        )

    def step(self, step: Step) -> None:
        """Append one step; of its World, what changed."""
        if step.functions is not None:
            # In front of its step, so that a reader has all of a step when it comes to it.
            self._write({"functions": step.number, **write_functions(step.functions)})
        if step.probes:
            self._write({"probes": step.number, "hits": [asdict(hit) for hit in step.probes]})
        if step.events is not None:
            rows = [[event.time, event.actor, event.name, dict(event.fields)] for event in step.events.events]
            self._write({"events": step.number, "lost": step.events.lost, "rows": rows})
        self.console(step.number, step.console)
        changed, gone = step.world.changed_since(self._world)
        self._world = step.world
        event: dict[str, Any] = {
            "step": step.number,
            "actor": step.actor,
            "text": step.text,
            "answer": step.answer,
            "call": encode(step.call),
            "outcome": encode(step.outcome),
            "clock": step.clock,
            "host": step.host,
            "guest": step.guest,
            "changed": encode(changed),
            "gone": encode(gone),
        }
        if step.sleeps:
            event["sleeps"] = step.sleeps
        if step.line:
            event["line"] = step.line
        if step.comment:
            event["comment"] = step.comment
        if step.addresses:
            event["at"] = _write_addresses(step.addresses)
        self._write(event)

    def console(self, number: int, lines: tuple[str, ...]) -> None:
        """Append what the guest printed in a step that nobody saw the end of."""
        if lines:
            self._write({"console": number, "lines": lines})

    def verdict(self, verdict: Verdict) -> None:
        """Append the verdict on a step that did not agree."""
        self._write(
            {
                "diverged": verdict.number,
                "differences": [
                    {"path": item.path, "observed": _shown(item.observed), "expected": _shown(item.expected)}
                    for item in verdict.differences
                ],
                "rules": verdict.rules,
                "complaints": verdict.complaints,
            }
        )

    def end(self, end: End) -> None:
        """Write the last line."""
        self._write(
            {
                "end": end.status,
                "steps": end.steps,
                "objects": end.objects,
                "fields": end.fields,
                "message": end.message,
            }
        )

    def _write(self, event: dict[str, Any]) -> None:
        try:
            self._file.write(json.dumps(event, separators=(",", ":"), check_circular=False) + "\n")
            self._file.flush()
        except OSError as error:
            raise _unwritable(self.directory, error) from error


class SessionReader:
    """Read a session file back, event by event; a last line that was cut off is left out.

    :param path: the session's directory, or its file
    :ivar initial: the World before the first step, as it is written
    :raises UsageError: no session is there, or it is of another version
    """

    def __init__(self, path: Path) -> None:
        self.path = path / FILE_NAME if path.is_dir() else path
        self.truncated = False
        self._lines = self._read_lines()
        first = next(self._lines, None)
        if first is None or "ktrace_session" not in first:
            raise UsageError(
                f"{str(path)!r} is not a ktrace session", "give a session's directory or its session.jsonl"
            )
        if first["ktrace_session"] != VERSION:
            raise UsageError(
                f"{str(path)!r} has session format {first['ktrace_session']!r}, this ktrace reads {VERSION}",
                "use the ktrace that recorded it",
            )
        self.initial = first["initial"]
        self.header = Header(
            first["title"],
            decode(first["facts"]),
            first["manifest"],
            World(decode(first["initial"]) or {}),
            tuple(first["clocks"]) if "clocks" in first else None,
            _read_addresses(first.get("at", {})),
        )

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield what happened as it is written, of every kind, in order; instead of :meth:`events`.

        :raises UsageError: a line in the middle cannot be read
        """
        yield from self._lines

    def steps(self) -> Iterator[Step]:
        """Yield the steps of :meth:`events` alone."""
        return (event for event in self.events() if isinstance(event, Step))

    def events(self) -> Iterator[Step | Verdict | End]:
        """Yield what happened, in order.

        :raises UsageError: a line in the middle cannot be read
        """
        world = self.header.initial
        functions: FunctionTrace | None = None
        probes: tuple[Hit, ...] = ()
        console: tuple[str, ...] = ()
        events: EventTrace | None = None
        for number, event in enumerate(self._lines, 2):
            try:
                if "functions" in event:
                    functions = read_functions(event)
                elif "probes" in event:
                    probes = tuple(Hit(**{**hit, "stack": tuple(hit["stack"])}) for hit in event["hits"])
                elif "console" in event:
                    console = tuple(event["lines"])
                elif "events" in event:
                    rows = [TraceEvent(name, actor, time, fields) for time, actor, name, fields in event["rows"]]
                    events = EventTrace(tuple(rows), event["lost"])
                elif "step" in event:
                    world = world.apply(decode(event["changed"]) or {}, decode(event["gone"]))
                    yield _step(event, world, functions, probes, console, events)
                    functions, probes, console, events = None, (), (), None
                elif "diverged" in event:
                    differences = tuple(
                        Difference(item["path"], item["observed"], item["expected"]) for item in event["differences"]
                    )
                    yield Verdict(event["diverged"], differences, tuple(event["rules"]), tuple(event["complaints"]))
                elif "end" in event:
                    yield End(event["end"], event["steps"], event["objects"], event["fields"], event["message"])
            except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
                raise UsageError(f"{str(self.path)!r}, line {number}: {error!r} is not a session's event") from error

    def _read_lines(self) -> Iterator[dict[str, Any]]:
        try:
            with _open(self.path) as file:
                for number, line in enumerate(file, 1):
                    if not line.endswith("\n"):
                        self.truncated = True
                        return
                    try:
                        event = json.loads(line)
                    except json.JSONDecodeError as error:
                        raise UsageError(f"{str(self.path)!r}, line {number}: {error}") from error
                    if not isinstance(event, dict):
                        raise UsageError(f"{str(self.path)!r}, line {number}: not an object")
                    yield event
        except (OSError, EOFError) as error:
            raise UsageError(f"cannot read {str(self.path)!r}: {getattr(error, 'strerror', None) or error}") from error


def _open(path: Path) -> IO[str]:
    """Open a session file, or one that was compressed to be kept."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", errors="replace")
    return open(path, encoding="utf-8", errors="replace")


def _step(
    event: dict[str, Any],
    world: World,
    functions: FunctionTrace | None,
    probes: tuple[Hit, ...],
    console: tuple[str, ...],
    events: EventTrace | None,
) -> Step:
    call, outcome = decode(event["call"]), decode(event["outcome"])
    if not isinstance(call, Call) or not isinstance(outcome, Outcome):
        raise TypeError(f"step {event['step']!r}")
    return Step(
        event["step"],
        event["actor"],
        call,
        event["text"],
        event["answer"],
        outcome,
        (event["clock"][0], event["clock"][1]),
        world,
        {name: tuple(functions) for name, functions in event.get("sleeps", {}).items()},
        event.get("line", 0),
        event.get("comment", ""),
        functions,
        probes,
        console,
        tuple(event.get("host", (0, 0))),
        tuple(event.get("guest", (0, 0))),
        _read_addresses(event.get("at", {})),
        events,
    )


def _write_addresses(addresses: Mapping[Ref, int]) -> dict[str, str]:
    return {f"{ref.kind}:{ref.key}": f"{address:x}" for ref, address in addresses.items()}


def _read_addresses(written: Mapping[str, str]) -> dict[Ref, int]:
    return {Ref(*name.split(":", 1)): int(address, 16) for name, address in written.items()}


def _shown(value: Any) -> str:
    return "absent" if value is ABSENT else str(value)


def _unwritable(path: Path, error: OSError) -> HostError:
    hint = "free some space" if error.errno == errno.ENOSPC else "set XDG_CACHE_HOME to a directory that can be written"
    return HostError(f"cannot write {str(path)!r}: {error.strerror}", hint)
