"""Turn an expression in C, typed by DWARF, into what a kprobe event fetches.

The language of events is described in ``Documentation/trace/kprobetrace.rst``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import drgn
from drgn.helpers.linux.percpu import per_cpu

from ktrace.errors import UsageError

RETVAL = "$retval"
_TOKEN = re.compile(r"\s*(->|\.|\[\d+\]|\*|\$?\w+)")
_REGISTERS = ("di", "si", "dx", "cx", "r8", "r9")
"""Where the first integer and pointer arguments are at a function's entry (System V ABI)."""
_HINT = "write C's members: iocb->ki_filp->f_flags; for anything else there is --probe"
_STRINGS = frozenset({"char", "signed char"})
_LONGEST = 64
"""``MAX_ARRAY_LEN`` (``kernel/trace/trace_probe.h``)."""


@dataclass(frozen=True)
class Fetch:
    """What a kprobe event fetches.

    :param text: in the language of ``kprobe_events``, with its type
    :param type: of the value, in C; ``None`` for a string
    """

    text: str
    type: drgn.Type | None


@dataclass(frozen=True)
class _Place:
    """A value on the way: in a register or made of others (*base*), or in memory *offset* bytes behind *base*.

    :param base: how to fetch it; empty for absolute addresses
    :param bits: of a bit field: position in its container, width
    """

    type: Any
    base: str
    offset: int | None = None
    bits: tuple[int, int] | None = None

    @property
    def fetch(self) -> str:
        """Return how to fetch the value itself."""
        if self.offset is None:
            return self.base
        return f"+{self.offset:#x}({self.base})" if self.base else f"@{self.offset:#x}"


def compile_fetch(prog: drgn.Program, function: str, text: str, returning: bool = False) -> Fetch:
    """Compile the expression *text* over the parameters of *function*.

    Its roots are parameters, ``task`` (who is running; the lab has one CPU) and the kernel's variables; at a return
    ``$retval`` and these, but no parameters: their registers are gone.

    :raises UsageError: it cannot be read, or is nothing that an event can fetch
    """
    tokens = _tokens(text)
    stars = 0
    while tokens and tokens[0] == "*":
        tokens.pop(0)
        stars += 1
    if not tokens or not re.match(r"[$\w]", tokens[0]):
        raise UsageError(f"cannot read the expression {text!r}", _HINT)
    try:
        place = _root(prog, function, tokens.pop(0), returning)
        while tokens:
            token = tokens.pop(0)
            if token in ("->", "."):
                if not tokens:
                    raise UsageError(f"no member behind {token!r} in {text!r}", _HINT)
                place = _member(_pointed(place) if token == "->" else place, tokens.pop(0))
            elif token.startswith("["):
                place = _element(place, int(token[1:-1]))
            else:
                raise UsageError(f"cannot read {token!r} in the expression {text!r}", _HINT)
        for _ in range(stars):
            place = _pointed(place)
        return _typed(place)
    except LookupError as error:
        raise UsageError(f"{text!r}: {error}", _HINT) from error


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    stripped = text.rstrip()
    while at < len(stripped):
        match = _TOKEN.match(stripped, at)
        if match is None:
            raise UsageError(f"cannot read {stripped[at:]!r} in the expression {text!r}", _HINT)
        tokens.append(match[1])
        at = match.end()
    return tokens


def _root(prog: drgn.Program, function: str, name: str, returning: bool) -> _Place:
    type_ = prog.function(function).type_
    if name == RETVAL:
        if not returning:
            raise LookupError(f"{RETVAL} is known at the return only: write {function}%return")
        return _Place(type_.type, RETVAL)
    if not returning:
        places = _parameters(type_)
        if name in places:
            return places[name]
    if name == "task":
        return _current(prog)
    try:
        variable = prog.variable(name)
    except LookupError:
        known = ", ".join(parameter.name or "?" for parameter in type_.parameters)
        what = f"{function}() has no parameter {name!r}, it has {known or 'none'}"
        raise LookupError(f"no {name!r} at the return of {function}()" if returning else what) from None
    if variable.address_ is None:
        raise LookupError(f"{name!r} is a constant")
    return _Place(variable.type_, "", variable.address_)


def _current(prog: drgn.Program) -> _Place:
    """Return where the running task is noted (``arch/x86/include/asm/current.h``)."""
    try:
        variable = per_cpu(prog["pcpu_hot"], 0).current_task
    except KeyError:  # before e57ef2ed97c1 (in Linux 6.2) a variable of its own
        variable = per_cpu(prog["current_task"], 0)
    assert variable.address_ is not None
    return _Place(variable.type_, "", variable.address_)


def _parameters(type_: Any) -> dict[str, _Place]:
    """Return where each parameter is at the function's entry; structures in registers are left out."""
    registers = list(_REGISTERS)
    word = 1  # behind the return address
    places: dict[str, _Place] = {}
    for parameter in type_.parameters:
        size = drgn.sizeof(parameter.type)
        words = (size + 7) // 8
        aggregate = _bare(parameter.type).kind in (drgn.TypeKind.STRUCT, drgn.TypeKind.UNION)
        if words <= 2 and words <= len(registers):
            if not aggregate and parameter.name:
                places[parameter.name] = _Place(parameter.type, f"%{registers[0]}")
            del registers[:words]
        else:
            if parameter.name:
                places[parameter.name] = _Place(parameter.type, "$stack", 8 * word)
            word += words
    return places


def _bare(type_: Any) -> Any:
    while type_.kind == drgn.TypeKind.TYPEDEF:
        type_ = type_.type
    return type_


def _pointed(place: _Place) -> _Place:
    type_ = _bare(place.type)
    if type_.kind == drgn.TypeKind.ARRAY:
        return _element(place, 0)
    if type_.kind != drgn.TypeKind.POINTER:
        raise LookupError(f"a {place.type.type_name()} is no pointer")
    return _Place(type_.type, place.fetch, 0)


def _member(place: _Place, name: str) -> _Place:
    type_ = _bare(place.type)
    if type_.kind not in (drgn.TypeKind.STRUCT, drgn.TypeKind.UNION):
        raise LookupError(f"a {place.type.type_name()} has no members, so no {name!r}")
    if place.offset is None:
        raise LookupError(f"a {place.type.type_name()} in registers cannot be taken apart")
    if not type_.is_complete():
        raise LookupError(f"{type_.type_name()} is declared, but not defined, where this function is")
    member = type_.member(name)
    if member.bit_field_size is None:
        return _Place(member.type, place.base, place.offset + member.offset)
    container = drgn.sizeof(member.type)
    first, rest = divmod(member.bit_offset, 8 * container)
    return _Place(member.type, place.base, place.offset + first * container, (rest, member.bit_field_size))


def _element(place: _Place, index: int) -> _Place:
    type_ = _bare(place.type)
    if type_.kind not in (drgn.TypeKind.ARRAY, drgn.TypeKind.POINTER):
        raise LookupError(f"a {place.type.type_name()} has no elements")
    if type_.kind == drgn.TypeKind.POINTER:
        place = _Place(type_.type, place.fetch, 0)
    else:
        place = replace(place, type=type_.type)
    return replace(place, offset=(place.offset or 0) + index * drgn.sizeof(place.type))


def _typed(place: _Place) -> Fetch:
    """Return how to fetch a value, with the type that the kernel is to record."""
    type_ = _bare(place.type)
    kind = type_.kind
    if place.bits is not None:
        first, width = place.bits
        return Fetch(f"{place.fetch}:b{width}@{first}/{8 * drgn.sizeof(place.type)}", place.type)
    if kind == drgn.TypeKind.VOID:
        raise LookupError("there is no value")
    if kind == drgn.TypeKind.ARRAY:
        element = _bare(type_.type)
        if element.kind == drgn.TypeKind.INT and element.name in _STRINGS:
            return Fetch(f"{place.fetch}:string", None)
        if not type_.length or type_.length > _LONGEST:
            raise LookupError(f"a {place.type.type_name()} is too long: name an element")
        return Fetch(f"{place.fetch}:{_scalar(element)}[{type_.length}]", place.type)
    if kind == drgn.TypeKind.POINTER:
        target = type_.type  # not bare: a u8 is a number, an unsigned char a letter (struct qstr)
        if target.kind == drgn.TypeKind.INT and target.name in (*_STRINGS, "unsigned char"):
            return Fetch(f"+0x0({place.fetch}):string", None)
    return Fetch(f"{place.fetch}:{_scalar(type_)}", place.type)


def _scalar(type_: Any) -> str:
    type_ = _bare(type_)
    if type_.kind == drgn.TypeKind.ENUM:
        type_ = type_.type
    if type_.kind == drgn.TypeKind.POINTER:
        return "u64"
    if type_.kind == drgn.TypeKind.BOOL:
        return "u8"
    if type_.kind == drgn.TypeKind.INT:
        return f"{'s' if type_.is_signed else 'u'}{8 * type_.size}"
    raise LookupError(f"a {type_.type_name()} is no single value: name one of its members")
