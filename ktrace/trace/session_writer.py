"""Write a session file: one JSON object per line, appended as it happens, readable when cut off anywhere."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from ktrace.state.codec import encode
from ktrace.state.compare import ABSENT
from ktrace.state.ref import Ref
from ktrace.state.rule import Choice
from ktrace.state.step import Step
from ktrace.state.world import World
from ktrace.trace.functions_json import write_functions
from ktrace.trace.session import FILE_NAME, Choices, End, Header, Verdict, unwritable

VERSION = 1
NUMBER = "record"
"""What each line but the first has last: which it is, so that one that is lost, doubled or moved is missed."""
TAKEN_LIMIT = 60
"""Characters that are kept of what the kernel chose."""


@dataclass(frozen=True)
class Written:
    """How much of a session was written at one moment.

    :param records: lines; *end*: bytes
    :param world: of the last step
    """

    records: int
    end: int
    world: World


class SessionWriter:
    """Append a session's events to its file.

    :param beginning: the file of another session and how much of it this one begins with
    :raises HostError: the file cannot be written (no space, no permission)
    """

    def __init__(self, directory: Path, beginning: tuple[Path, Written] | None = None) -> None:
        self.directory = directory
        self._world = World()
        self._counted = (0, 0)
        try:
            descriptor = os.open(directory / FILE_NAME, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            self._file: IO[bytes] = os.fdopen(descriptor, "wb")
            if beginning is not None:
                path, written = beginning
                with path.open("rb") as file:
                    self._file.write(file.read(written.end))
                self.go_back(written)
        except OSError as error:
            raise unwritable(directory, error) from error

    def written(self) -> Written:
        """Return how much there is, for :meth:`go_back`."""
        records, end = self._counted
        return Written(records, end, self._world)

    def go_back(self, written: Written) -> None:
        """Forget what came after *written*: the guest was restored.

        :raises HostError: the file cannot be written
        """
        try:
            self._file.flush()
            self._file.truncate(written.end)
            self._file.seek(written.end)
        except OSError as error:
            raise unwritable(self.directory, error) from error
        self._counted, self._world = (written.records, written.end), written.world

    def __enter__(self) -> SessionWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._file.close()
        except OSError as error:
            if value is None:
                raise unwritable(self.directory, error) from error

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

    def choices(self, choices: Choices) -> None:
        """Append what the kernel chose in the last step."""
        self._write(
            {
                "choices": choices.number,
                "rules": [
                    [rule.source, rule.function, rule.what, [_choice(choice) for choice in used]]
                    for rule, used in choices.by_rule().items()
                ],
            }
        )

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

    def end(self, end: End, place: str = "") -> None:
        """Write the last line; a file does not say where it lies."""
        del place
        self._write(
            {
                "end": end.status,
                "steps": end.steps,
                "objects": end.objects,
                "fields": end.fields,
                "message": end.message,
                "held": end.held,
            }
        )

    def _write(self, event: dict[str, Any]) -> None:
        """Append *event*'s line and count it; where Ctrl-C came between these two, the file tells that it did."""
        records, end = self._counted
        here = self._file.tell()
        records += here != end
        if records:
            event[NUMBER] = records + 1
        line = json.dumps(event, separators=(",", ":"), check_circular=False).encode() + b"\n"
        try:
            self._file.write(line)
            self._counted = (records + 1, here + len(line))
            self._file.flush()
        except OSError as error:
            raise unwritable(self.directory, error) from error


def _write_addresses(addresses: Mapping[Ref, int]) -> dict[str, str]:
    return {f"{ref.kind}:{ref.key}": f"{address:x}" for ref, address in addresses.items()}


def _choice(choice: Choice) -> list[Any]:
    """Return the field and what the kernel has there, with ``false`` where the rule does not allow it."""
    taken = str(choice.taken)
    taken = taken if len(taken) <= TAKEN_LIMIT else taken[:TAKEN_LIMIT] + "…"
    return [choice.path, taken] if choice.allowed else [choice.path, taken, False]


def _shown(value: Any) -> str:
    return "absent" if value is ABSENT else str(value)
