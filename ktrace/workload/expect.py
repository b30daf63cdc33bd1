"""Hold what happened against what an annotation says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from ktrace.agent.syscalls.text import quote
from ktrace.state.call import Completed, Continued, Event, Exited, Outcome, Pointer, Result, Signalled, Stopped
from ktrace.state.quick import dataclass
from ktrace.workload.environment import Environment, Scope
from ktrace.workload.format import format_expectation
from ktrace.workload.script import Array, Braces, Expectation, Expression, Name, Step, String
from ktrace.workload.tokens import Place


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Say that something else happened than a script says.

    :param place: of the annotation
    :param expected: what it says
    :param observed: what happened
    """

    place: Place
    expected: str
    observed: str

    def __str__(self) -> str:
        return f"expected {self.expected}, got {self.observed}"


def check_annotation(
    step: Step, outcome: Outcome, environment: Environment, known: Mapping[str, bool | None] = MappingProxyType({})
) -> tuple[Mismatch, ...]:
    """Return everything in *outcome* that is not as *step*'s annotation says; what it does not mention is free.

    :param environment: after it has observed the outcome
    :param known: what holds of the kernel (``state.conditions.conditions()``)
    :raises ScriptError: the annotation uses a name that is not bound
    """
    scope = environment.scope(step)
    found = []
    for said in step.expectations:
        item = said.chosen(known)
        if item is None:
            continue
        actor = item.actor or step.actor or ""
        if not _happened(item, actor, outcome, scope):
            alone = replace(item, condition=None, otherwise=None)
            found.append(Mismatch(item.place, format_expectation(alone), _observed(actor, outcome)))
    return tuple(found)


def _happened(item: Expectation, actor: str, outcome: Outcome, scope: Scope) -> bool:
    if item.kind == "blocked":
        return actor in outcome.blocked
    return any(event.actor == actor and _matches_event(item, event, scope) for event in outcome.events)


def _matches_event(item: Expectation, event: Event, scope: Scope) -> bool:
    match event:
        case Completed(_, result):
            if item.kind == "fails":
                return result.errno == item.word
            return item.kind == "returns" and result.errno is None and _returned(item, result, scope)
        case Signalled():
            return item.kind == "handles" and event.signal == item.word and _attributes(item, event, scope)
        case Stopped():
            return item.kind == "stopped" and event.signal == item.word
        case Continued():
            return item.kind == "continued"
        case Exited():
            if item.kind == "exited":
                return event.status is not None and _matches(item.value, event.status, scope)
            return item.kind == "killed" and event.signal == item.word


def _attributes(item: Expectation, event: Signalled, scope: Scope) -> bool:
    for name, pattern in item.outs:
        if name == "sender":
            if not isinstance(pattern, Name) or pattern.name not in ("_", event.sender):
                return False
        elif not _matches(pattern, getattr(event, str(name)), scope):
            return False
    return True


def _returned(item: Expectation, result: Result, scope: Scope) -> bool:
    if item.value is not None and not _matches(item.value, _named(item.value, result, scope), scope):
        return False
    plain = list(result.out.values())
    at = 0
    for name, pattern in item.outs:
        if name is not None:
            if name not in result.out or not _matches(pattern, result.out[name], scope):
                return False
        else:
            if at >= len(plain) or not _matches(pattern, plain[at], scope):
                return False
            at += 1
    return True


def _named(pattern: Expression, result: Result, scope: Scope) -> Any:
    """Return what *result* is, by the actor's name where the annotation has one: ``# A``."""
    if isinstance(pattern, Name) and pattern.name not in scope.values and pattern.name in scope.actors:
        return result.out.get("actor", result.value)
    return result.value


def _matches(pattern: Expression | None, value: Any, scope: Scope) -> bool:
    match pattern:
        case None | Name("_"):
            return True
        case String(text, True):
            return isinstance(value, bytes) and value.startswith(text)
        case Array(items):
            return (
                isinstance(value, (tuple, list))
                and len(items) == len(value)
                and all(_matches(item, inner, scope) for item, inner in zip(items, value, strict=True))
            )
        case Braces(members):
            if not isinstance(value, Mapping):
                return False
            if members and members[0][0] is None:
                return len(members) <= len(value) and all(
                    _matches(item, inner, scope) for (_, item), inner in zip(members, value.values(), strict=False)
                )
            return all(name in value and _matches(item, value[name], scope) for name, item in members)
    expected = scope.evaluate(pattern)
    if isinstance(expected, Pointer):
        return value is None if expected.value == 0 else bool(value == expected.value)
    if isinstance(expected, Mapping) and isinstance(value, Mapping):
        return all(name in value and value[name] == item for name, item in expected.items())
    if isinstance(expected, bytes) and isinstance(value, str):
        return expected == value.encode()
    return bool(expected == value)


def _observed(actor: str, outcome: Outcome) -> str:
    parts = []
    for event in outcome.events:
        if event.actor != actor:
            continue
        match event:
            case Completed(_, result):
                outs = [f"{name}={_show(value)}" for name, value in result.out.items()]
                parts.append(result.errno or " ".join([str(result.value), *outs]))
            case Signalled():
                parts.append(f"{event.signal} code={event.code} sender={event.sender} fd={event.fd}")
            case Stopped():
                parts.append(f"stopped {event.signal}")
            case Continued():
                parts.append("continued")
            case Exited():
                parts.append(f"killed {event.signal}" if event.signal else f"exited {event.status}")
    if actor in outcome.blocked:
        parts.append("blocked")
    return "; ".join(parts) or "nothing"


def _show(value: Any) -> str:
    if isinstance(value, bytes):
        return quote(value, 48)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}={_show(item)}" for name, item in value.items()) + "}"
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(map(_show, value)) + "]"
    return str(value)
