"""Write scripts down: ``parse_script(format_script(script)) == script``."""

from __future__ import annotations

from collections.abc import Iterator

from ktrace.agent.syscalls.text import quote
from ktrace.workload.reader import PRECEDENCE
from ktrace.workload.script import (
    Abstract,
    Array,
    Binary,
    Braces,
    Condition,
    Expectation,
    Expression,
    Form,
    Index,
    Member,
    Name,
    Number,
    Repeat,
    Script,
    Step,
    String,
    Unary,
)

_ANNOTATION_COLUMN = 40


def format_script(script: Script) -> str:
    """Return the text of *script*."""
    title = f"{script.name}: {script.title}" if script.name else script.title
    lines = [f"## {title}".rstrip()]
    lines += ["with functions"] if script.functions else []
    lines += [f"with probe {quote(probe.encode())}" for probe in script.probes]
    for step in script.steps:
        lines.extend(_lines(step, ""))
    lines.extend(_comments(script.comments, ""))
    return "\n".join(lines) + "\n"


def _lines(item: Step | Repeat, margin: str) -> Iterator[str]:
    yield from _comments(item.comments, margin)
    if isinstance(item, Step):
        yield margin + format_step(item)
        return
    counter = f" as {item.counter}" if item.counter else ""
    head = f"repeat {item.count}{counter}" if item.condition is None else f"when {_condition(item.condition)}"
    yield f"{margin}{head} {{"
    for step in item.steps:
        yield from _lines(step, margin + "    ")
    yield from _comments(item.closing, margin + "    ")
    yield margin + "}"


def _comments(comments: tuple[str, ...], margin: str) -> Iterator[str]:
    for comment in comments:
        yield f"{margin}## {comment}".rstrip()


def format_step(step: Step) -> str:
    """Return the line of one step, without the comments above it."""
    parts = [format_expression(arg) for arg in step.args]
    if step.name == "spawn" and step.actor is None:
        keys = [f"{key}={format_expression(value)}" for key, value in step.keywords]
        text = " ".join(["spawn", *parts, *keys])
    else:
        parts += [f"{key}={format_expression(value)}" for key, value in step.keywords]
        text = f"{step.actor}: " if step.actor is not None else ""
        text += f"{step.name}({', '.join(parts)})"
        if step.value is not None or step.outs:
            binds = [f"{out}={name}" for out, name in step.outs]
            first = [step.value] if step.value is not None else []
            text += " -> " + ", ".join([*first, *binds])
        if step.times != 1:
            text += f" * {step.times}"
    if step.expectations:
        text = f"{text + '  ':<{_ANNOTATION_COLUMN}}# {format_expectations(step.expectations)}"
    if step.remark:
        text = f"{text + '  ':<{_ANNOTATION_COLUMN}}## {step.remark}"
    return text


def format_expectations(expectations: tuple[Expectation, ...]) -> str:
    """Return an annotation without its ``#``."""
    return "; ".join(map(format_expectation, expectations))


def format_expectation(item: Expectation) -> str:
    """Return one part of an annotation."""
    parts: list[str] = []
    match item.kind:
        case "exited":
            parts = ["exited"]
        case "killed":
            parts = ["killed", item.word]
        case "stopped":
            parts = ["stopped", item.word]
        case "blocked" | "continued":
            parts = [item.kind]
        case "fails" | "handles":
            parts = [item.word]
    if item.value is not None:
        value = format_expression(item.value)
        # A name may stand for an error or a signal, too.
        parts.append(f"= {value}" if item.kind == "returns" and isinstance(item.value, Name) else value)
    for name, pattern in item.outs:
        text = format_expression(pattern)
        if name is not None:
            parts.append(f"{name}={text}")
        else:
            parts.append(f"({text})" if parts and isinstance(pattern, Unary) else text)
    text = " ".join(parts)
    if item.actor is not None:
        text = f"{item.actor}: {text}"
    if item.condition is not None:
        text += f" if {_condition(item.condition)}"
    if item.otherwise is not None:
        text += f" else {format_expectation(item.otherwise)}"
    return text


def _condition(item: Condition) -> str:
    return " and ".join(name if wanted else f"not {name}" for name, wanted in item.terms)


def format_expression(item: Expression) -> str:
    """Return an expression's text."""
    match item:
        case Number(value, base):
            return f"{value:#x}" if base == 16 else f"0{value:o}" if base == 8 else str(value)
        case String(value, prefix):
            return quote(value) + ("..." if prefix else "")
        case Abstract(value):
            return "@" + quote(value)
        case Name(name):
            return name
        case Unary(operator, operand):
            text = format_expression(operand)
            return f"{operator}({text})" if isinstance(operand, Binary) else f"{operator}{text}"
        case Binary(operator, left, right):
            level = PRECEDENCE[operator]
            space = "" if operator == "|" else " "
            return f"{_inner(left, level)}{space}{operator}{space}{_inner(right, level + 1)}"
        case Array(items):
            return "[" + ", ".join(map(format_expression, items)) + "]"
        case Braces(members):
            shown = [(f"{name}=" if name else "") + format_expression(value) for name, value in members]
            return "{" + ", ".join(shown) + "}"
        case Form(name, args):
            return f"{name}({', '.join(map(format_expression, args))})"
        case Member(operand, name):
            return f"{format_expression(operand)}.{name}"
        case Index(operand, index):
            return f"{format_expression(operand)}[{index}]"


def _inner(item: Expression, least: int) -> str:
    text = format_expression(item)
    return f"({text})" if isinstance(item, Binary) and PRECEDENCE[item.operator] < least else text
