"""Read a session file back, event by event, as far as it was written."""

from __future__ import annotations

import gzip
import json
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ktrace.errors import UsageError
from ktrace.state.call import Call, Outcome
from ktrace.state.codec import decode
from ktrace.state.compare import Difference
from ktrace.state.ref import Ref
from ktrace.state.rule import Choice, Rule
from ktrace.state.step import Step
from ktrace.state.trace.functions import FunctionTrace
from ktrace.state.trace.probe import Hit
from ktrace.state.trace.tracepoint import EventTrace, TraceEvent
from ktrace.state.world import World
from ktrace.trace.functions_json import read_functions
from ktrace.trace.session import FILE_NAME, Choices, End, Header, Sink, Verdict
from ktrace.trace.session_writer import NUMBER, VERSION


@dataclass(frozen=True)
class Played:
    """What a session's file tells of its run.

    :param end: ``None``: the run was cut off, or is still going on
    """

    end: End | None
    diverged: bool


class SessionReader:
    """Read a session file back, event by event; a last line that was cut off is left out.

    :param path: the session's directory, or its file
    :param read: told the number of every step as it is read
    :ivar initial: the World before the first step, as it is written
    :ivar truncated: it has no end, or lacks steps: it was cut off, or is still being written
    :raises UsageError: no session is there, or it is of another version
    """

    def __init__(self, path: Path, read: Callable[[int], object] | None = None) -> None:
        self._read = read
        try:
            self.path = path / FILE_NAME if path.is_dir() else path
            if self.path != path and not self.path.exists():
                raise _no_session(path)
        except OSError as error:
            raise _unreadable(path, error) from error
        self.truncated = False
        self._lines = self._read_lines()
        first = next(self._lines, None)
        if first is None or "ktrace_session" not in first:
            raise _no_session(path)
        if first["ktrace_session"] != VERSION:
            raise UsageError(
                f"{str(path)!r} has session format {first['ktrace_session']!r}, this ktrace reads {VERSION}",
                "use the ktrace that recorded it",
            )
        try:
            self.initial = first["initial"]
            self.header = _header(first)
        except _NO_EVENT as error:
            raise UsageError(f"{str(self.path)!r}, line 1: {what_lacks(error)}") from error

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield what happened as it is written, of every kind, in order; instead of :meth:`events`.

        :raises UsageError: a line in the middle cannot be read
        """
        yield from self._lines

    def steps(self) -> Iterator[Step]:
        """Yield the steps of :meth:`events` alone."""
        return (event for event in self.events() if isinstance(event, Step))

    def events(self) -> Iterator[Step | Choices | Verdict | End]:
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
                elif "choices" in event:
                    yield Choices(event["choices"], tuple(_choices(event["rules"])))
                elif "diverged" in event:
                    differences = tuple(
                        Difference(item["path"], item["observed"], item["expected"]) for item in event["differences"]
                    )
                    yield Verdict(event["diverged"], differences, tuple(event["rules"]), tuple(event["complaints"]))
                elif "end" in event:
                    yield End(
                        event["end"],
                        event["steps"],
                        event["objects"],
                        event["fields"],
                        event["message"],
                        event.get("held", 0),
                    )
            except _NO_EVENT as error:
                raise UsageError(f"{str(self.path)!r}, line {number}: {what_lacks(error)}") from error

    def play(self, sink: Sink, place: str = "") -> Played:
        """Hand everything to *sink*, as it was when the session ran.

        :param place: told *sink* at the end
        :raises UsageError: a line in the middle cannot be read
        """
        ended: End | None = None
        diverged = False
        sink.header(self.header)
        for event in self.events():
            match event:
                case Step():
                    sink.step(event)
                case Choices():
                    sink.choices(event)
                case Verdict():
                    diverged = True
                    sink.verdict(event)
                case End():
                    ended = event
                    sink.end(event, place)
        return Played(ended, diverged)

    def _read_lines(self) -> Iterator[dict[str, Any]]:
        self.truncated = True  # until its last line has come
        steps = 0
        numbered = False
        try:
            with _open(self.path) as file:
                for number, line in enumerate(_whole(file), 1):
                    try:
                        event = json.loads(line)
                    except (ValueError, RecursionError) as error:  # json's own error is a ValueError
                        if number == 1:
                            raise _no_session(self.path) from error
                        raise UsageError(f"{str(self.path)!r}, line {number}: {what_lacks(error)}") from error
                    if not isinstance(event, dict):
                        raise (
                            _no_session(self.path)
                            if number == 1
                            else UsageError(f"{str(self.path)!r}, line {number}: not an object")
                        )
                    numbered |= NUMBER in event  # sessions of before are not
                    if (record := event.pop(NUMBER, None)) != number and numbered:
                        raise UsageError(
                            f"{str(self.path)!r}, line {number}: {_misplaced(record, number)}",
                            "a line was lost, doubled or moved: take the session as ktrace wrote it",
                        )
                    if "step" in event:
                        steps += 1
                        if event["step"] != steps:
                            raise UsageError(
                                f"{str(self.path)!r}, line {number}: step {event['step']!r} where step {steps} belongs"
                            )
                        if self._read is not None:
                            self._read(steps)
                    elif "end" in event:
                        # Whoever failed may have been in the middle of a step.
                        self.truncated = event["end"] in ("agreed", "diverged") and event.get("steps") != steps
                    yield event
        except OSError as error:
            raise _unreadable(self.path, error) from error


def is_whole(path: Path) -> bool:
    """Tell whether the session at *path* has its last line; its steps are not decoded for that."""
    reader = SessionReader(path)
    deque(reader.records(), 0)
    return not reader.truncated


def _no_session(path: Path) -> UsageError:
    return UsageError(f"{str(path)!r} is not a ktrace session", "give a session's directory or its session.jsonl")


def _unreadable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"cannot read {str(path)!r}: {error.strerror or error}")


def _whole(file: IO[str]) -> Iterator[str]:
    """Yield the lines of *file* up to where it was torn off; a compressed one may be torn anywhere."""
    start = ""
    try:
        if (start := file.read(1)) != "{":
            return  # no object, and maybe a device whose line never ends
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return
    while True:
        try:
            line, start = start + file.readline(), ""
        except (EOFError, zlib.error, gzip.BadGzipFile):
            return
        if not line.endswith("\n"):
            return
        yield line


def _open(path: Path) -> IO[str]:
    """Open a session file, or one that was compressed to be kept."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", errors="replace")
    return open(path, encoding="utf-8", errors="replace")


def _misplaced(record: object, number: int) -> str:
    """Say what stands where record *number* belongs."""
    return f"{'no record' if record is None else f'record {record!r}'} where record {number} belongs"


_NO_EVENT = (KeyError, IndexError, TypeError, AttributeError, ValueError, RecursionError)
"""What reading raises of a line that is an object, but not one that a session has."""


def what_lacks(error: Exception) -> str:
    """Say why a line is no event of a session."""
    if isinstance(error, KeyError):
        return f"not an event of a session: it lacks {error.args[0]!r}"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return f"not an event of a session: {error}"


def _header(first: Mapping[str, Any]) -> Header:
    if not isinstance(first["title"], str) or not isinstance(first["manifest"], dict):
        raise TypeError("its title is no text, or its manifest no object")
    facts, initial = decode(first["facts"]), decode(first["initial"])
    if not isinstance(facts, dict):
        raise TypeError("its facts are no object")
    if not isinstance(initial, dict) or not all(isinstance(ref, Ref) for ref in initial):
        raise TypeError("its first World is none")
    return Header(
        first["title"],
        facts,
        first["manifest"],
        World(initial),
        tuple(first["clocks"]) if "clocks" in first else None,
        _read_addresses(first.get("at", {})),
    )


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
        number=event["step"],
        actor=event["actor"],
        call=call,
        text=event["text"],
        answer=event["answer"],
        outcome=outcome,
        clock=(event["clock"][0], event["clock"][1]),
        world=world,
        sleeps={name: tuple(functions) for name, functions in event.get("sleeps", {}).items()},
        line=event.get("line", 0),
        comment=event.get("comment", ""),
        functions=functions,
        probes=probes,
        console=console,
        host=tuple(event.get("host", (0, 0))),
        guest=tuple(event.get("guest", (0, 0))),
        addresses=_read_addresses(event.get("at", {})),
        events=events,
    )


def _choices(rules: list[Any]) -> Iterator[Choice]:
    for source, function, what, used in rules:
        rule = Rule(source, function, what)
        yield from (Choice(rule, taken, not refused, path) for path, taken, *refused in used)


def _read_addresses(written: Mapping[str, str]) -> dict[Ref, int]:
    return {Ref(*name.split(":", 1)): int(address, 16) for name, address in written.items()}


def require_whole(path: Path) -> None:
    """Make sure that nothing of a session is missing.

    :raises UsageError: it was cut off, or is still being written
    """
    if not is_whole(path):
        raise UsageError(f"{str(path)!r}: steps are missing: it was cut off, or is still being written")
