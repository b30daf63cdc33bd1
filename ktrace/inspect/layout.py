"""Compile a C type's members into one unpacker, so that a structure is read once and in bulk.

Offsets and sizes come from the kernel's own DWARF, through drgn. Members are probed: one that a
kernel lacks reads as ``None`` where the caller said that it may be missing.
"""

from __future__ import annotations

import operator
import struct
from collections import namedtuple
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, NamedTuple

import drgn

from ktrace.errors import UsageError
from ktrace.inspect.memory import KernelMemory

_INTEGER_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}


@cache
def _members(names: tuple[str, ...]) -> Any:
    """Return the named tuple with these fields; making its class costs more than all else that a layout takes."""
    return namedtuple("Members", names)


class Layout:
    """Unpack chosen members of a C struct from bytes.

    :param prog: the program whose types are used
    :param type_name: such as ``struct pipe_inode_info``
    :param members: member paths such as ``head`` or ``mutex.owner.counter``; one that starts with ``?`` may
        be missing and then reads as ``None``. A path's dots become underscores in the result
    :param renamed: result names for long paths
    :raises UsageError: a member that is needed is not in this kernel's DWARF
    """

    def __init__(self, prog: drgn.Program, type_name: str, *members: str, **renamed: str) -> None:
        self.type = prog.type(type_name)
        self.size: int = self.type.size
        self.name = type_name
        wanted = [(path.lstrip("?").replace(".", "_"), path) for path in members]
        wanted += list(renamed.items())
        self._fields = [_Field(name, *self._find(path)) for name, path in wanted]
        self._make: Callable[[Iterable[Any]], Any] = _members(tuple(field.name for field in self._fields))._make
        self.offsets = {field.name: field.offset for field in self._fields if field.offset is not None}
        self.unpack: Callable[[bytes, int], Any] = self._in_one_go() or self._each

    def read(self, memory: KernelMemory, address: int) -> Any:
        """Return the members of the structure at kernel *address* as a named tuple."""
        return self.unpack(memory.read(address, self.size), 0)

    def __call__(self, memory: KernelMemory, address: int) -> Any:
        """Read; the same as :meth:`read`."""
        return self.unpack(memory.read(address, self.size), 0)

    def _find(self, path: str) -> tuple[int | None, str, int, tuple[int, int] | None]:
        """Return offset, struct code, size in bytes, and position and width of a bit field."""
        optional = path.startswith("?")
        offset_bits = 0
        type_: Any = self.type
        bit_size = None
        for part in path.lstrip("?").split("."):
            while type_.kind == drgn.TypeKind.TYPEDEF:
                type_ = type_.type
            try:
                member = type_.member(part)
            except LookupError:
                if optional:
                    return None, "", 0, None
                raise UsageError(
                    f"{self.name} has no member {path!r} in this vmlinux",
                    "is it the debug information of a Linux 6.1 or 6.12 kernel?",
                ) from None
            offset_bits += member.bit_offset
            bit_size = member.bit_field_size
            type_ = member.type
        if bit_size is not None:
            first = offset_bits // 8
            length = (offset_bits % 8 + bit_size + 7) // 8
            return first, f"{length}s", length, (offset_bits % 8, bit_size)
        code, length = _code(type_)
        return offset_bits // 8, code, length, None

    def _in_one_go(self) -> Callable[[bytes, int], Any] | None:
        """Return an unpacker that is one ``struct.unpack_from``; ``None`` where two names stand for the same bytes."""
        at = 0
        text = "<"
        count = 0
        places: dict[str, Callable[[Any], Any]] = {}
        for field in sorted(
            (field for field in self._fields if field.offset is not None), key=lambda field: field.start
        ):
            if field.start < at:
                return None
            text += f"{field.start - at}x{field.code}"
            at = field.start + field.length
            width = int(field.code[:-1]) if field.is_array else 1
            places[field.name] = _place(count, width, field)
            count += width
        unpack_from = struct.Struct(text).unpack_from
        make = self._make
        in_order = [field.name for field in self._fields] == list(places)
        if in_order and count == len(self._fields) and all(field.bits is None for field in self._fields):

            def straight(data: bytes, offset: int = 0) -> Any:
                return make(unpack_from(data, offset))

            return straight
        if count == len(self._fields) and all(field.bits is None and not field.is_array for field in self._fields):
            order = list(places)
            pick = operator.itemgetter(*[order.index(field.name) for field in self._fields])

            def reordered(data: bytes, offset: int = 0) -> Any:
                return make(pick(unpack_from(data, offset)))

            return reordered
        getters: list[Callable[[Any], Any]] = [places.get(field.name, _missing) for field in self._fields]

        def gathered(data: bytes, offset: int = 0) -> Any:
            values = unpack_from(data, offset)
            return make([get(values) for get in getters])

        return gathered

    def _each(self, data: bytes, offset: int = 0) -> Any:
        values: list[Any] = []
        for field in self._fields:
            if field.offset is None:
                values.append(None)
                continue
            found = struct.unpack_from("<" + field.code, data, offset + field.offset)
            if field.bits is not None:
                values.append(int.from_bytes(found[0], "little") >> field.bits[0] & (1 << field.bits[1]) - 1)
            else:
                values.append(found if field.is_array else found[0])
        return self._make(values)


class _Field(NamedTuple):
    name: str
    offset: int | None
    code: str
    length: int
    bits: tuple[int, int] | None

    @property
    def start(self) -> int:
        return self.offset or 0

    @property
    def is_array(self) -> bool:
        return self.code[:-1].isdigit() and self.code[-1] != "s"


def _place(index: int, width: int, field: _Field) -> Callable[[Any], Any]:
    """Return what takes a field out of the unpacked values."""
    if field.is_array:
        return operator.itemgetter(slice(index, index + width))
    if field.bits is None:
        return operator.itemgetter(index)
    shift, mask = field.bits[0], (1 << field.bits[1]) - 1
    return lambda values: int.from_bytes(values[index], "little") >> shift & mask


def _missing(_values: Any) -> None:
    """Stand for a member that this kernel does not have."""


def _code(type_: Any) -> tuple[str, int]:
    """Return the struct code and size in bytes of a member's type; an aggregate reads as its bytes."""
    while type_.kind == drgn.TypeKind.TYPEDEF:
        type_ = type_.type
    if type_.kind == drgn.TypeKind.ENUM:
        type_ = type_.type
    if type_.kind == drgn.TypeKind.POINTER:
        return "Q", 8
    if type_.kind == drgn.TypeKind.BOOL:
        return "?", 1
    if type_.kind == drgn.TypeKind.INT:
        code = _INTEGER_CODES[type_.size]
        return (code.lower() if type_.is_signed and type_.name != "char" else code), type_.size
    if type_.kind == drgn.TypeKind.ARRAY and type_.length is not None:
        code, size = _code(type_.type)
        element = type_.type
        while element.kind == drgn.TypeKind.TYPEDEF:
            element = element.type
        if element.kind == drgn.TypeKind.INT and element.name == "char":
            return f"{type_.length}s", type_.length
        if len(code) == 1:
            return f"{type_.length}{code}", size * type_.length
    return f"{type_.size if type_.kind != drgn.TypeKind.ARRAY else drgn.sizeof(type_)}s", drgn.sizeof(type_)
