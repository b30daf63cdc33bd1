"""Write scripts in Python: the same values as the parser makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ktrace.agent.syscalls import signature
from ktrace.errors import UsageError
from ktrace.state.call import BAD, Call, Completed, Continued, Exited, Outcome, Pointer, Signalled, Stopped
from ktrace.workload.check import check_script
from ktrace.workload.parser import parse_expectations
from ktrace.workload.script import (
    Abstract,
    Array,
    Binary,
    Braces,
    Expectation,
    Expression,
    Form,
    Name,
    Node,
    Number,
    Repeat,
    Script,
    Step,
    String,
    Unary,
)

_UNIT_LIMIT = 16
_RUN = 64


def literal(value: Any) -> Expression:
    """Return the expression for a value: int, bytes, sequence, mapping, :class:`Pointer`, or an expression itself.

    :raises UsageError: there is none for it
    """
    if isinstance(value, Node):
        return value  # type: ignore[return-value]
    if isinstance(value, bool) or value is None:
        return Name("NULL") if value is None else Number(int(value))
    if isinstance(value, int):
        return Number(value) if value >= 0 else Unary("-", Number(-value))
    if isinstance(value, bytes):
        return _string(value)
    if isinstance(value, str):
        return Name(value)
    if isinstance(value, Pointer):
        if value.value == 0:
            return Name("NULL")
        return Name("BAD") if value == BAD else Number(value.value, 16)
    if isinstance(value, Mapping):
        return _address(value) or Braces(tuple((str(name), _member(name, item)) for name, item in value.items()))
    if isinstance(value, Sequence):
        return Array(tuple(map(literal, value)))
    raise UsageError(f"a script cannot hold {value!r}")


def _member(name: Any, value: Any) -> Expression:
    # Elsewhere a str names an actor.
    return String(value.encode()) if name in ("sin_addr", "sin6_addr") else literal(value)


def _string(value: bytes) -> Expression:
    if len(value) > _RUN:
        for size in range(1, _UNIT_LIMIT + 1):
            unit = value[:size]
            count, rest = divmod(len(value), size)
            if unit * count + unit[:rest] == value:
                run = Binary("*", String(unit), Number(count))
                return Binary("+", run, String(unit[:rest])) if rest else run
    return String(value)


def _address(value: Mapping[str, Any]) -> Expression | None:
    rest = {name: item for name, item in value.items() if name != "sa_family" and item not in (0, b"")}
    match value.get("sa_family"):
        case 1 if rest.keys() <= {"sun_path"}:
            path = value.get("sun_path", b"")
            if not path:
                return Form("unix", ())
            return Form("unix", (Abstract(path[1:]) if path[0] == 0 else String(path),))
        case 2 if rest.keys() <= {"sin_addr", "sin_port"}:
            return Form("inet", (String(value["sin_addr"].encode()), literal(value["sin_port"])))
        case 10 if rest.keys() <= {"sin6_addr", "sin6_port"}:
            return Form("inet6", (String(value["sin6_addr"].encode()), literal(value["sin6_port"])))
        case 16 if rest.keys() <= {"nl_pid", "nl_groups"}:
            return Form("netlink", (literal(value["nl_pid"]), literal(value["nl_groups"])))
        case 17 if rest.keys() <= {"sll_protocol", "sll_ifindex"}:
            return Form("packet", (literal(value["sll_protocol"]), literal(value["sll_ifindex"])))
    return None


class Builder:
    """Put a script together step by step.

    :param title: what it shows
    :param name: in kebab-case
    """

    def __init__(self, title: str, name: str = "") -> None:
        self.title = title
        self.name = name
        self._steps: list[Step | Repeat] = []
        self._comments: list[str] = []

    def comment(self, text: str) -> None:
        """Put a comment above the next step."""
        self._comments.extend(text.split("\n"))

    def do(
        self,
        actor: str | None,
        name: str,
        *args: Any,
        bind: str | None = None,
        outs: Mapping[str, str] | None = None,
        times: int = 1,
        expect: str | Outcome | None = None,
        **keywords: Any,
    ) -> None:
        """Add a step.

        :param args: values or expressions; a ``str`` is a name
        :param bind: name for what it returns; the child's for ``fork``
        :param outs: names for out values, by out value
        :param expect: the annotation's text, or an outcome to expect again
        :raises ScriptError: the annotation is wrong
        """
        expectations: tuple[Expectation, ...] = ()
        if isinstance(expect, str):
            expectations = parse_expectations(expect)
        elif expect is not None:
            expectations = expected(expect, actor)
        step = Step(
            actor,
            name,
            tuple(map(literal, args)),
            tuple((key, literal(value)) for key, value in keywords.items()),
            bind,
            tuple((outs or {}).items()),
            times,
            expectations,
            tuple(self._comments),
        )
        self._comments.clear()
        self._steps.append(step)

    def call(self, actor: str | None, call: Call, expect: str | Outcome | None = None) -> None:
        """Add a step that makes exactly *call*."""
        if call.name == "fork":
            child, flags = call.args
            self.do(actor, "fork", *([flags] if flags else []), bind=child, expect=expect)
        elif call.name == "spawn":
            child, credentials = call.args
            self.do(None, "spawn", child, expect=expect, **credentials)
        elif call.name == "sysctl":
            self.do(None, "sysctl", *[text.encode() for text in call.args], expect=expect)
        elif call.name == "sigaction":
            signum, handler = call.args
            word = {"DFL": "SIG_DFL", "IGN": "SIG_IGN"}.get(handler, handler)
            self.do(actor, "sigaction", signum, Name(word), expect=expect)
        else:
            self._exact(actor, call, expect)

    def _exact(self, actor: str | None, call: Call, expect: str | Outcome | None) -> None:
        entry = signature(call.name)
        args = list(call.args)
        keywords: dict[str, Any] = dict(call.pointers)
        # What the defaults would give again is left out; where that would look like C's full form, it is named.
        values = entry.values(call)
        for param in reversed(entry.inputs):
            if not param.optional:
                break
            default = param.default
            if param.late is not None:
                try:
                    default = param.late(values)
                except UsageError:
                    break
            if args[-1] != default:
                break
            args.pop()
        while len(args) == len(entry.places) and entry.places != entry.names[: len(args)]:
            last = args.pop()
            keywords[entry.names[len(args)]] = last
        self.do(actor, call.name, *args, expect=expect, **keywords)

    def script(self) -> Script:
        """Return the script.

        :raises ScriptError: it cannot be run
        """
        script = Script(self.title, tuple(self._steps), self.name, tuple(self._comments))
        check_script(script)
        return script


def expected(outcome: Outcome, actor: str | None) -> tuple[Expectation, ...]:
    """Return the annotation that expects what *outcome* tells: values, errors, signals, ends, who is blocked."""
    found = []
    for event in outcome.events:
        who = None if event.actor == actor else event.actor
        match event:
            case Completed(_, result):
                if result.errno is not None:
                    found.append(Expectation("fails", who, result.errno))
                else:
                    found.append(Expectation("returns", who, value=literal(result.value)))
            case Signalled():
                found.append(Expectation("handles", who, event.signal))
            case Stopped():
                found.append(Expectation("stopped", who, event.signal))
            case Continued():
                found.append(Expectation("continued", who))
            case Exited():
                if event.signal is not None:
                    found.append(Expectation("killed", who, event.signal))
                else:
                    found.append(Expectation("exited", who, value=literal(event.status or 0)))
    if actor is not None and actor in outcome.blocked:
        found.append(Expectation("blocked"))
    return tuple(found)
