"""Run time: what names stand for, calls with their values filled in, names bound by results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ktrace.agent.syscalls import ALIASES, CONSTANTS, HANDLERS, find_signature, make_call, sockaddr
from ktrace.agent.syscalls.signature import Signature
from ktrace.errors import UsageError
from ktrace.state.call import BAD, NULL, Call, Completed, Exited, Outcome, Pointer, Result
from ktrace.workload.script import (
    Abstract,
    Array,
    Binary,
    Braces,
    Expression,
    Form,
    Index,
    Member,
    Name,
    Number,
    Step,
    String,
    Unary,
    created_actor,
)
from ktrace.workload.tokens import ScriptError

SIZE_LIMIT = 16 << 20
"""Bytes that one string may have."""


class Environment:
    """Remember what names stand for while a script runs.

    :ivar values: values of bound names
    :ivar actors: names of the actors that have come up so far
    """

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.actors: set[str] = set()
        self.pending: dict[str, Step] = {}

    def resolve(self, step: Step) -> Call:
        """Return the call that *step* makes now.

        :raises ScriptError: a value is of the wrong kind, or a name is not bound because its call failed
        """
        scope = self.scope(step)
        try:
            return _resolve(step, scope)
        except ScriptError:
            raise
        except UsageError as error:
            raise ScriptError(error.message, step.place, error.hint) from None

    def scope(self, step: Step) -> Scope:
        """Return how names are understood in *step*."""
        return Scope(self.values, self.actors, dict(step.given))

    def observe(self, step: Step, outcome: Outcome) -> None:
        """Bind the names of every call that *outcome* completes: *step*'s own, and those that blocked before."""
        if step.actor is not None:
            self.pending[step.actor] = step
        if (created := created_actor(step)) is not None:
            self.actors.add(created)
        for event in outcome.events:
            if isinstance(event, Completed):
                waited = self.pending.pop(event.actor, None)
                if waited is not None:
                    self.bind(waited, event.result)
            elif isinstance(event, Exited):
                self.pending.pop(event.actor, None)

    def bind(self, step: Step, result: Result) -> None:
        """Bind the names of *step* to what *result* holds; a failed call binds nothing."""
        if result.errno is not None:
            return
        if step.value is not None and step.name != "fork":
            self.values[step.value] = result.value
        for out, name in step.outs:
            if out not in result.out:
                known = ", ".join(result.out) or "none"
                raise ScriptError(f"{step.name} has no out value {out!r}", step.place, f"it has {known}")
            self.values[name] = result.out[out]
        entry = find_signature(step.name)
        for number in out_places(entry, step.args):
            pattern = step.args[number]
            if isinstance(pattern, Array) and entry is not None:
                items = result.out[entry.places[number]]
                for item, value in zip(pattern.items, items, strict=False):
                    if isinstance(item, Name) and item.name != "_":
                        self.values[item.name] = value


class Scope:
    """Evaluate expressions."""

    def __init__(self, values: Mapping[str, Any], actors: set[str], given: Mapping[str, int]) -> None:
        self.values = values
        self.actors = actors
        self.given = given

    def evaluate(self, item: Expression) -> Any:
        """Return what *item* stands for: int, bytes, tuple, dict, :class:`Pointer`, or an actor's name.

        :raises ScriptError: it stands for nothing
        """
        match item:
            case Number(value, _) | String(value, _):
                return value
            case Name(name):
                return self._name(item, name)
            case Abstract(value):
                return b"\0" + value
            case Unary(operator, operand):
                if operator == "-" and isinstance(name := self.evaluate(operand), str):
                    return f"-{name}"  # the process group that an actor leads
                number = self._number(operand)
                return -number if operator == "-" else ~number
            case Binary():
                return self._binary(item)
            case Array(items):
                return tuple([self.evaluate(inner) for inner in items])
            case Braces(members):
                if members and members[0][0] is not None:
                    return {str(name): self.evaluate(inner) for name, inner in members}
                return tuple([self.evaluate(inner) for _, inner in members])
            case Form(name, args):
                return address(name, [self.evaluate(arg) for arg in args])
            case Member(operand, name):
                whole = self.evaluate(operand)
                if not isinstance(whole, Mapping) or name not in whole:
                    raise ScriptError(f"there is no member {name!r} in {whole!r}", item.place)
                return whole[name]
            case Index(operand, index):
                whole = self.evaluate(operand)
                if not isinstance(whole, tuple) or index >= len(whole):
                    raise ScriptError(f"there is no element {index} in {whole!r}", item.place)
                return whole[index]

    def _name(self, item: Name, name: str) -> Any:
        for names in (self.given, self.values, CONSTANTS, HANDLERS, _POINTERS):
            if name in names:
                return names[name]
        if name in self.actors or name[:1].isupper():
            return name
        raise ScriptError(
            f"{name!r} is not bound", item.place, "the call that should have bound it failed or has not returned"
        )

    def _number(self, item: Expression) -> int:
        value = self.evaluate(item)
        if isinstance(value, Pointer):
            return value.value
        if not isinstance(value, int):
            raise ScriptError(f"a number is expected, not {value!r}", item.place)
        return value

    def _binary(self, item: Binary) -> Any:
        left: Any = self.evaluate(item.left)
        if isinstance(left, (bytes, tuple)):
            right: Any = self.evaluate(item.right)
            if item.operator == "*" and isinstance(right, int):
                if len(left) * right > SIZE_LIMIT:
                    raise ScriptError("the string is too long", item.place, f"{SIZE_LIMIT} bytes at most")
                return left * right
            if item.operator == "+" and isinstance(left, bytes) and isinstance(right, bytes):
                return left + right
            if item.operator == "+" and isinstance(left, tuple) and isinstance(right, tuple):
                return left + right
            raise ScriptError(f"cannot do {item.operator!r} with {left!r} and {right!r}", item.place)
        first, second = self._number(item.left), self._number(item.right)
        match item.operator:
            case "|":
                return first | second
            case "&":
                return first & second
            case "+":
                return first + second
            case "-":
                return first - second
            case "*":
                return first * second
        if not 0 <= second < 64:
            raise ScriptError(f"cannot shift by {second!r}", item.place)
        return first << second


_POINTERS: Mapping[str, Pointer] = {"NULL": NULL, "BAD": BAD}
_FAMILIES = {
    "unix": (1, ("sun_path",)),
    "inet": (2, ("sin_addr", "sin_port")),
    "inet6": (10, ("sin6_addr", "sin6_port")),
    "netlink": (16, ("nl_pid", "nl_groups")),
    "packet": (17, ("sll_protocol", "sll_ifindex")),
}


def address(name: str, args: Sequence[Any]) -> dict[str, Any]:
    """Return the socket address that ``inet("127.0.0.1", 5000)`` and the like stand for.

    :param name: of its form
    :raises UsageError: a member is of the wrong kind
    """
    family, members = _FAMILIES[name]
    return sockaddr.coerce({"sa_family": family, **dict(zip(members, args, strict=False))})


def _resolve(step: Step, scope: Scope) -> Call:
    if step.name == "spawn":
        keywords = {key: scope.evaluate(value) for key, value in step.keywords}
        return make_call("spawn", created_actor(step), keywords)
    entry = find_signature(step.name)
    named = {key: scope.evaluate(value) for key, value in step.keywords}
    if step.name == "fork":
        flags = [scope.evaluate(arg) for arg in step.args]
        return make_call("fork", step.value, *flags, **named)
    outs = out_places(entry, step.args)
    if entry is None or step.name in ALIASES or not outs:
        return make_call(step.name, *[scope.evaluate(arg) for arg in step.args], **named)
    given = dict(named)
    for number, arg in enumerate(step.args):
        skipped = number in outs and (isinstance(arg, Array) or (isinstance(arg, Name) and arg.name == "_"))
        if not skipped:
            given[entry.places[number]] = scope.evaluate(arg)
    return entry.call(given)


def out_places(entry: Signature | None, args: tuple[Expression, ...]) -> frozenset[int]:
    """Return which of a call's positional arguments stand for out-buffers: all are given, in C's order."""
    if entry is None or len(args) != len(entry.places):
        return frozenset()
    return frozenset(number for number, name in enumerate(entry.places) if name in entry.outs)
