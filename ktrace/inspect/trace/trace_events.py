"""Decode ftrace's events by their format files."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ktrace.errors import GuestGarbage

_ID = re.compile(r"^ID: (\d+)$", re.MULTILINE)
_FIELD = re.compile(
    r"^\tfield:(?P<type>[^;]*?)(?P<name>\w+)(?P<array>\[[^\]]*\])?;"
    r"\toffset:(?P<offset>\d+);\tsize:(?P<size>\d+);\tsigned:(?P<signed>[01]);",
    re.MULTILINE,
)
_SYMBOLIC = re.compile(r'__print_symbolic\(REC->(\w+)((?:, \{ ?\w+, "[^"]*" ?\})+)\)')
_NAMED = re.compile(r'\{ ?(\w+), "([^"]*)" ?\}')
_CODES = {1: "b", 2: "h", 4: "i", 8: "q"}
_HEAD = struct.Struct("<HBBi")
HARDIRQ, SOFTIRQ = 0x08, 0x10
"""``TRACE_FLAG_HARDIRQ``, ``TRACE_FLAG_SOFTIRQ`` (``include/linux/trace_events.h``)."""


@dataclass(frozen=True)
class Field:
    """One member of an event.

    :param kind: ``number``, ``string`` (in place), ``data_loc`` (elsewhere in the record), or ``pointer``
    :param count: of numbers, more than 1 for an array
    :param names: of its values, where the kernel has some for them
    """

    name: str
    kind: str
    offset: int
    size: int
    signed: bool
    count: int = 1
    names: Mapping[int, str] = field(default_factory=dict)


class Format(NamedTuple):
    """An event's number and members, without those that all events have."""

    number: int
    fields: tuple[Field, ...]


class Head(NamedTuple):
    """What every event begins with (``struct trace_entry``)."""

    number: int
    flags: int
    pid: int


def read_head(data: bytes) -> Head:
    """Return the head of a record of at least 8 bytes."""
    number, flags, _, pid = _HEAD.unpack_from(data)
    return Head(number, flags, pid)


def parse_format(text: str) -> Format:
    """Return what ``events/SYSTEM/NAME/format`` says.

    :raises GuestGarbage: it is something else
    """
    found = _ID.search(text)
    if found is None:
        raise GuestGarbage(f"no event's format: {text[:60]!r}")
    fields = [_field(match) for match in _FIELD.finditer(text)]
    names = {symbolic[1]: _names(symbolic[2]) for symbolic in _SYMBOLIC.finditer(text)}
    fields = [replace(item, names=names.get(item.name, {})) for item in fields]
    return Format(int(found[1]), tuple(item for item in fields if not item.name.startswith("common_")))


def _names(text: str) -> dict[int, str]:
    """Return what ``__print_symbolic()`` makes of values; those that are no plain numbers are left out."""
    return {int(value, 0): name for value, name in _NAMED.findall(text) if value[0].isdigit()}


def _field(match: re.Match[str]) -> Field:
    kind, array = match["type"], match["array"] or ""
    size, signed = int(match["size"]), match["signed"] == "1"
    name, offset = match["name"], int(match["offset"])
    if kind.startswith("__data_loc"):
        return Field(name, "data_loc", offset, size, signed)
    if array and re.search(r"\bchar\b", kind):
        return Field(name, "string", offset, size, signed)
    if "*" in kind:
        return Field(name, "pointer", offset, size, signed)
    length = array.strip("[]")
    count = int(length) if length.isdigit() and int(length) else 1
    return Field(name, "number", offset, size // count, signed, count)


def read_field(field: Field, data: bytes) -> int | str | tuple[int, ...]:
    """Return the value that a record has of *field*.

    :raises GuestGarbage: the record is too short
    """
    try:
        if field.kind == "data_loc":
            (place,) = struct.unpack_from("<I", data, field.offset)
            start, length = place & 0xFFFF, place >> 16
            return _text(data[start : start + length])
        if field.kind == "string":
            return _text(data[field.offset : field.offset + field.size])
        code = _CODES[field.size] if field.signed else _CODES[field.size].upper()
        values = struct.unpack_from(f"<{field.count}{code}", data, field.offset)
    except (struct.error, KeyError) as error:
        raise GuestGarbage(f"an event of {len(data)} bytes has no {field.name!r} in it: {error}") from error
    return values[0] if field.count == 1 else values


def _text(data: bytes) -> str:
    return data.split(b"\0", 1)[0].decode("utf-8", "backslashreplace")
