"""A session as one JSON value per line on standard output: the events of the session file themselves."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from ktrace.state.call import Completed, Continued, Event, Exited, Signalled, Stopped
from ktrace.state.codec import encode
from ktrace.state.compare import ABSENT
from ktrace.state.ref import Ref
from ktrace.state.step import Step
from ktrace.state.world import World
from ktrace.trace.changes import changes
from ktrace.trace.functions_json import write_functions
from ktrace.trace.session import Choices, End, Header, Verdict
from ktrace.trace.value import short


class JsonView:
    """Print each event as data.

    :param write: prints a line
    :param quiet: print the start, verdicts and the end, and no step
    """

    def __init__(self, write: Callable[[str], object] = print, quiet: bool = False) -> None:
        self._write = write
        self._quiet = quiet
        self._world = World()

    def header(self, header: Header) -> None:
        """Print what is run, and on what."""
        self._world = header.initial
        self._print(
            {
                "event": "start",
                "title": header.title,
                "manifest": dict(header.manifest),
                **({} if header.clocks is None else {"clocks": header.clocks}),
            }
        )

    def step(self, step: Step) -> None:
        """Print one step and the fields it changed."""
        before, self._world = self._world, step.world
        if self._quiet:
            return
        self._print(
            {
                "event": "step",
                "step": step.number,
                "actor": step.actor,
                "line": step.line,
                "call": step.call.name,
                "text": step.text,
                "answer": step.answer,
                "events": [_event(event) for event in step.outcome.events],
                "blocked": {actor: list(step.sleeps.get(actor, ())) for actor in sorted(step.outcome.blocked)},
                "changes": [
                    {
                        "object": item.label,
                        "field": item.path,
                        "before": _plain(item.before),
                        "after": _plain(item.after),
                    }
                    for item in changes(before, step.world)
                ],
                "host": step.host,
                "guest": step.guest,
                **({"addresses": _hex(step.addresses)} if step.addresses else {}),
                **({} if step.events is None else {"traced": asdict(step.events)}),
                **({"console": list(step.console)} if step.console else {}),
                **({"probes": [asdict(hit) for hit in step.probes]} if step.probes else {}),
                **({} if step.functions is None else {"functions": write_functions(step.functions)}),
            }
        )

    def choices(self, choices: Choices) -> None:
        """Print what the kernel chose, by rule: all other fields of the step were predicted."""
        if self._quiet:
            return
        self._print(
            {
                "event": "choices",
                "step": choices.number,
                "rules": [
                    {
                        "rule": str(rule),
                        "source": rule.source,
                        "used": [
                            {"field": choice.path or None, "taken": _shown(choice.taken), "allowed": choice.allowed}
                            for choice in used
                        ],
                    }
                    for rule, used in choices.by_rule().items()
                ],
            }
        )

    def verdict(self, verdict: Verdict) -> None:
        """Print where a step diverged."""
        self._print(
            {
                "event": "divergence",
                "step": verdict.number,
                "differences": [
                    {"field": item.path, "observed": _shown(item.observed), "allowed": _shown(item.expected)}
                    for item in verdict.differences
                ],
                "rules": list(verdict.rules),
                "complaints": list(verdict.complaints),
            }
        )

    def end(self, end: End, place: str = "") -> None:
        """Print the totals and where the session lies."""
        self._print(
            {
                "event": "end",
                "status": end.status,
                "steps": end.steps,
                "objects": end.objects,
                "fields": end.fields,
                "held": end.held,
                "message": end.message,
                "session": place,
            }
        )

    def _print(self, value: dict[str, Any]) -> None:
        self._write(json.dumps(value))


def _hex(addresses: Mapping[Ref, int]) -> dict[str, str]:
    return {str(ref): f"{address:#x}" for ref, address in addresses.items()}


def _event(event: Event) -> dict[str, Any]:
    if isinstance(event, Completed):
        result = event.result
        return {
            "actor": event.actor,
            "returned": result.value,
            "errno": result.errno,
            "out": encode(dict(result.out)),
        }
    if isinstance(event, Signalled):
        return {"actor": event.actor, "signal": event.signal, "sender": event.sender}
    if isinstance(event, Stopped):
        return {"actor": event.actor, "stopped": event.signal}
    if isinstance(event, Continued):
        return {"actor": event.actor, "continued": True}
    assert isinstance(event, Exited)
    return {"actor": event.actor, "exited": event.status, "killed": event.signal}


def _plain(value: Any) -> Any:
    return None if value is ABSENT else encode(value)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else short(value)
