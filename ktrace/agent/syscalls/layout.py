"""C structs of the x86-64 ABI as dicts with the C member names, and back."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from ktrace.agent.syscalls.vocabulary import Vocabulary
from ktrace.errors import UsageError

Member = tuple[str, "str | Struct"] | tuple[str, "str | Struct", Vocabulary]


class Struct:
    """Describe a C struct: its members in order, with explicit padding.

    :param name: the kernel's name of it, without ``struct``
    :param members: (name, :mod:`struct` code or nested struct[, vocabulary]); a name of ``""`` is padding
    :param pids: members that hold a process id
    """

    def __init__(self, name: str, *members: Member, pids: Sequence[str] = ()) -> None:
        self.name = name
        self.members = members
        self.pids = frozenset(pids)
        self.fields: dict[str, str | Struct] = {member[0]: member[1] for member in members if member[0]}
        self.vocabularies: dict[str, Vocabulary] = {member[0]: member[2] for member in members if len(member) > 2}
        self._code = "<" + self._codes()
        self._struct = struct.Struct(self._code)
        self.size = self._struct.size

    def _codes(self) -> str:
        return "".join(kind._codes() if isinstance(kind, Struct) else kind for _, kind, *_ in self.members)

    def pack(self, values: Mapping[str, Any]) -> bytes:
        """Return the struct's bytes; members that *values* leaves out are zero."""
        flat: list[int] = []
        self._flatten(values, flat)
        try:
            return self._struct.pack(*flat)
        except struct.error as error:
            raise UsageError(f"struct {self.name} cannot hold {dict(values)!r}: {error}") from None

    def declared(self) -> str:
        """Return how it is declared in C: its name and its members."""
        members = [
            f"{f'struct {kind.name}' if isinstance(kind, Struct) else C_TYPES[kind]} {name}"
            for name, kind in self.fields.items()
        ]
        return f"struct {self.name} {{{', '.join(members)}}}"

    def _flatten(self, values: Mapping[str, Any], flat: list[int]) -> None:
        for name, kind in self.fields.items():
            if isinstance(kind, Struct):
                kind._flatten(values.get(name, {}), flat)
            else:
                flat.append(_wrap(kind, values.get(name, 0)))

    def unpack(self, data: bytes) -> dict[str, Any]:
        """Return the members of the struct in *data*; bytes that are missing count as zero."""
        if len(data) < self.size:
            data = data + bytes(self.size - len(data))
        return self._nest(iter(self._struct.unpack_from(data)))

    def _nest(self, flat: Any) -> dict[str, Any]:
        return {
            name: kind._nest(flat) if isinstance(kind, Struct) else next(flat) for name, kind in self.fields.items()
        }

    def coerce(self, value: Any, fill: bool = True) -> dict[str, Any]:
        """Return *value* as a dict of this struct's members: a dict, or a sequence in their order.

        :param fill: add the members that are left out, as zero
        :raises UsageError: a member is unknown, or there are too many
        """
        if isinstance(value, Mapping):
            for name in value:
                if name not in self.fields:
                    known = ", ".join(self.fields)
                    raise UsageError(f"struct {self.name} has no member {name!r}", f"its members are {known}")
            items = dict(value)
        elif isinstance(value, (tuple, list)):
            if len(value) > len(self.fields):
                raise UsageError(f"struct {self.name} has {len(self.fields)} members, not {len(value)!r}")
            items = dict(zip(self.fields, value, strict=False))
        else:
            raise UsageError(f"struct {self.name} is expected, not {value!r}")
        for name, item in items.items():
            kind = self.fields[name]
            if isinstance(kind, Struct):
                items[name] = kind.coerce(item, fill)
            elif not isinstance(item, int) and not (name in self.pids and isinstance(item, str)):
                raise UsageError(f"{name} of struct {self.name} is a number, not {item!r}")
            elif isinstance(item, int):
                require_fit(f"{name} of struct {self.name}", kind, item, signless=name in self.vocabularies)
        if fill:
            return {
                name: items[name] if name in items else (kind.coerce({}) if isinstance(kind, Struct) else 0)
                for name, kind in self.fields.items()
            }
        return items

    def name_actors(self, values: dict[str, Any], actors: Mapping[int, str]) -> dict[str, Any]:
        """Replace process ids of *actors* by their names."""
        for name in self.pids:
            values[name] = actors.get(values[name], values[name])
        return values


C_TYPES = {"b": "s8", "B": "u8", "h": "s16", "H": "u16", "i": "int", "I": "u32", "q": "long", "Q": "u64"}
"""Types by the :mod:`struct` codes of members."""
_RANGES = {"b": 8, "B": 8, "h": 16, "H": 16, "i": 32, "I": 32, "q": 64, "Q": 64}


def require_fit(what: str, code: str, value: int, signless: bool = False) -> None:
    """See that a C type holds *value*; an unsigned one takes the negative numbers of its bits, too, as C converts them.

    :param what: it is, for the message
    :param signless: bits that have no sign, whatever the type says
    :raises UsageError: it does not
    """
    bits = _RANGES[code]
    most = 1 << bits - (code.islower() and not signless)
    if not -(1 << bits - 1) <= value < most:
        least = 0 if code.isupper() else -(1 << bits - 1)
        raise UsageError(f"{what} is a number from {least} to {most - 1}, not {value}")


def _wrap(code: str, value: int) -> int:
    """Return *value* as the C conversion to the member's type makes it."""
    bits = _RANGES[code]
    value &= (1 << bits) - 1
    if code.islower() and value >> (bits - 1):
        value -= 1 << bits
    return value


def pack_ints(code: str, values: Sequence[int]) -> bytes:
    """Return a C array of numbers."""
    return struct.pack(f"<{len(values)}{code}", *[_wrap(code, value) for value in values])


def unpack_ints(code: str, data: bytes) -> tuple[int, ...]:
    """Return the numbers of a C array; an incomplete last one is left out."""
    size = struct.calcsize(code)
    return struct.unpack(f"<{len(data) // size}{code}", data[: len(data) // size * size])
