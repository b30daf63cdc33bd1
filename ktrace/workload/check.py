"""Find what is wrong with a script before any of it is run: unknown names, calls, arguments."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

from ktrace.agent.syscalls import ALIASES, CALL_NAMES, CONSTANTS, HANDLERS, find_signature
from ktrace.agent.syscalls.signature import Signature
from ktrace.suggest import did_you_mean
from ktrace.uapi.errno import ERRNO_NUMBERS
from ktrace.uapi.signal import SIGNAL_NAMES
from ktrace.workload.environment import out_places
from ktrace.workload.script import (
    Array,
    Binary,
    Braces,
    Expression,
    Form,
    Index,
    Member,
    Name,
    Repeat,
    Script,
    Step,
    String,
    Unary,
    created_actor,
    unrolled,
)
from ktrace.workload.tokens import Place
from ktrace.workload.values import wrong_value

_OUTCOMES = ("blocked", "exited", "killed", "stopped", "continued")
RESERVED = frozenset({"_", "repeat", "spawn", "as", *_OUTCOMES})


def check_script(script: Script, values: bool = True) -> None:
    """Check every step of *script*.

    :param values: check of what kind values are, too, as far as that is known before a call has returned
    :raises ScriptError: at the first thing that is wrong
    """
    _Checker(script, values).check(script.steps, frozenset())


class _Checker:
    def __init__(self, script: Script, values: bool) -> None:
        self.values = values
        self.script = script
        self.actors = {*script.initial} | {
            actor for step in unrolled(script.steps) if (actor := created_actor(step)) is not None
        }
        self.bound: set[str] = set()

    def fail(self, text: str, place: Place, hint: str | None = None) -> NoReturn:
        raise self.script.wrong(text, place, hint)

    def check(self, steps: tuple[Step | Repeat, ...], counters: frozenset[str]) -> None:
        for item in steps:
            if isinstance(item, Repeat):
                if item.counter is not None:
                    self.nameable(item.counter, item.place)
                    self.check(item.steps, counters | {item.counter})
                else:
                    self.check(item.steps, counters)
            else:
                self.step(item, counters)

    def step(self, step: Step, counters: frozenset[str]) -> None:
        known = self.bound | counters
        for actor in (step.actor, created_actor(step)):
            if actor is not None and not actor[:1].isupper():
                self.fail(f"{actor!r} is no name for an actor", step.place, "begin it with a capital letter")
        entry = find_signature(step.name)
        if entry is None and step.name not in ALIASES:
            self.fail(f"unknown call {step.name!r}", step.place, did_you_mean(step.name, CALL_NAMES))
        if step.name in ("spawn", "sysctl", "wait") and step.actor is not None:
            self.fail(f"{step.name} is not done by an actor", step.place, f"leave out '{step.actor}:'")
        if step.name == "fork" and step.value is None:
            self.fail("fork needs a name for the child", step.place, "write A: fork() -> B")
        outs = out_places(entry, step.args)
        patterns: list[str] = []
        for number, arg in enumerate(step.args):
            if step.name == "spawn":
                continue
            if number in outs and isinstance(arg, Array):
                patterns.extend(self.pattern(arg))
            elif not (number in outs and isinstance(arg, Name) and arg.name == "_"):
                self.names(arg, known)
        for key, value in step.keywords:
            if entry is not None and key not in entry.names and key not in entry.outs and step.name != "spawn":
                self.fail(
                    f"{step.name} has no parameter {key!r}",
                    value.place,
                    did_you_mean(key, [*entry.names, *entry.outs]) or entry.prototype(),
                )
            self.names(value, known)
        if entry is not None and step.name not in ("spawn", "fork"):
            self.count(step, entry)
        if self.values and (wrong := wrong_value(step, self.actors, outs)) is not None:
            self.fail(*wrong)
        if step.name != "fork" and step.value is not None:
            patterns.append(step.value)
        patterns.extend(name for _, name in step.outs)
        for name in patterns:
            self.nameable(name, step.place)
            self.bound.add(name)
        known = self.bound | counters
        for item in (one for said in step.expectations for one in said.alternatives()):
            if item.actor is None and step.actor is None:
                self.fail("whose? nobody acts in this step", item.place, "write the actor first: B: killed SIGKILL")
            if isinstance(item.value, Name) and not self.known(item.value.name, known):
                word = item.value.name
                close = did_you_mean(word, [*known, *ERRNO_NUMBERS, *SIGNAL_NAMES.values(), *_OUTCOMES])
                self.fail(f"unknown annotation {word!r}", item.value.place, close or "prose is written behind ##")
            if item.value is not None:
                self.names(item.value, known, pattern=True)
            for attribute, value in item.outs:
                if item.kind == "handles" and attribute == "sender":
                    continue
                self.names(value, known, pattern=True)

    def count(self, step: Step, entry: Signature) -> None:
        given = len(step.args)
        if given == len(entry.places):
            return
        if given > len(entry.names):
            self.fail(
                f"{step.name} takes {len(entry.names)} arguments, not {given}",
                step.args[len(entry.names)].place,
                entry.prototype(),
            )
        named = {key for key, _ in step.keywords}
        for param in entry.inputs[given:]:
            if not param.optional and param.name not in named:
                self.fail(f"{step.name} needs {param.name!r}", step.place, entry.prototype())

    def pattern(self, arg: Array) -> Iterable[str]:
        for item in arg.items:
            if not isinstance(item, Name):
                self.fail("only names can stand for what the kernel writes", item.place, "write [r, w]")
            if item.name != "_":
                yield item.name

    def nameable(self, name: str, place: Place) -> None:
        if name in _WORDS or name in RESERVED or name in ERRNO_NUMBERS:
            self.fail(f"{name!r} cannot be given another meaning", place, "choose another name")
        if name in self.actors:
            self.fail(f"{name!r} is an actor", place, "choose another name")

    def known(self, name: str, known: frozenset[str] | set[str]) -> bool:
        return name in known or name in self.actors or name in _WORDS or name == "_"

    def names(self, item: Expression, known: frozenset[str] | set[str], pattern: bool = False) -> None:
        match item:
            case Name(name):
                if (name == "_" and not pattern) or not self.known(name, known):
                    self.fail(
                        f"unknown name {name!r}",
                        item.place,
                        did_you_mean(name, [*known, *self.actors, *_WORDS])
                        or "bind it in an earlier step: [name, name] or -> name",
                    )
            case String(_, prefix):
                if prefix and not pattern:
                    self.fail("'...' belongs to annotations", item.place)
            case Unary(_, operand) | Member(operand, _) | Index(operand, _):
                self.names(operand, known, pattern)
            case Binary(_, left, right):
                self.names(left, known, pattern)
                self.names(right, known, pattern)
            case Array(items) | Form(_, items):
                for inner in items:
                    self.names(inner, known, pattern)
            case Braces(members):
                for _, inner in members:
                    self.names(inner, known, pattern)


_WORDS = frozenset([*CONSTANTS, *HANDLERS, "NULL", "BAD"])
