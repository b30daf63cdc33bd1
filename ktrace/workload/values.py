"""Find values of the wrong kind before anything is run: those arguments that no result of a call is part of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ktrace.agent.syscalls import ALIASES, CONSTANTS, HANDLERS, find_signature
from ktrace.agent.syscalls.parameter import Parameter
from ktrace.agent.syscalls.signature import Signature
from ktrace.errors import UsageError
from ktrace.workload.environment import Environment, Scope
from ktrace.workload.script import (
    Array,
    Binary,
    Braces,
    Expression,
    Form,
    Index,
    Member,
    Name,
    Step,
    Unary,
)
from ktrace.workload.tokens import Place, ScriptError

_ALWAYS = frozenset([*CONSTANTS, *HANDLERS, "NULL", "BAD"])


def wrong_value(step: Step, actors: set[str], outs: frozenset[int]) -> tuple[str, Place, str | None] | None:
    """Return what is wrong with a value of *step*, where it stands, and a hint; ``None`` if nothing can be told yet.

    :param actors: names that stand for actors
    :param outs: which positional arguments stand for out-buffers
    """
    scope = Scope({}, actors, {})
    entry = find_signature(step.name)
    before: dict[str, Any] = {}
    for item, parameter in _given(step, entry, outs):
        if not _told(item, actors):
            continue
        try:
            value = scope.evaluate(item)
            if parameter is not None:
                before[parameter.name] = _coerce(parameter, value, before)
        except ScriptError as error:
            return error.text, error.place, error.hint
        except UsageError as error:
            return f"{step.name}: {error.message}", item.place, error.hint
    return _wrong_together(step, actors, outs)


def _wrong_together(step: Step, actors: set[str], outs: frozenset[int]) -> tuple[str, Place, str | None] | None:
    """Return what is wrong with all arguments taken together, where all can be told."""
    items = [arg for number, arg in enumerate(step.args) if number not in outs] + [value for _, value in step.keywords]
    if step.name in ("spawn", "fork") or not all(_told(item, actors) for item in items):
        return None
    environment = Environment()
    environment.actors = actors
    try:
        environment.resolve(step)
    except ScriptError as error:
        return error.text, error.place, error.hint
    return None


def _given(step: Step, entry: Signature | None, outs: frozenset[int]) -> Iterator[tuple[Expression, Parameter | None]]:
    """Yield every argument with its parameter, if that judges a value by itself."""
    if step.name == "spawn":
        return
    by_name: dict[str, Parameter] = {}
    places: tuple[str, ...] = ()
    if entry is not None and step.name not in ALIASES:
        by_name = {param.name: param for param in entry.inputs if param.places == (param.name,)}
        places = entry.places if len(step.args) == len(entry.places) else entry.names
        if step.name == "fork":
            places = entry.names[1:]  # the child is called behind the arrow
    for number, item in enumerate(step.args):
        if number not in outs:
            yield item, by_name.get(places[number]) if number < len(places) else None
    for name, item in step.keywords:
        yield item, by_name.get(name)


def _coerce(parameter: Parameter, value: Any, before: Mapping[str, Any]) -> Any:
    """Return *value* as the call has it; as it is where that depends on an argument that cannot be told yet."""
    try:
        return parameter.coerce_among(value, before)
    except KeyError:
        return value


def _told(item: Any, actors: set[str]) -> bool:
    """Tell whether *item* stands for the same whatever calls return."""
    match item:
        case Name(name):
            return name in _ALWAYS or name in actors
        case Unary(_, operand) | Member(operand, _) | Index(operand, _):
            return _told(operand, actors)
        case Binary(_, left, right):
            return _told(left, actors) and _told(right, actors)
        case Array(items) | Form(_, items):
            return all(_told(inner, actors) for inner in items)
        case Braces(members):
            return all(_told(inner, actors) for _, inner in members)
    return True
