"""Compile a C type's members into one unpacker, so that a structure is read once and in bulk.

Offsets and sizes come from the kernel's own DWARF, through drgn. Members are probed: one that a
kernel lacks reads as ``None`` where ``ktrace/inspect/optional.py`` says why it may be missing.
"""

from __future__ import annotations

import operator
import struct
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

import drgn

from ktrace.inspect.members import (
    MissingMember,
    bare,
    find_member,
    note_unread,
    require_optional,
    type_of,
    unread_allowed,
)
from ktrace.inspect.memory import KernelMemory, Place
from ktrace.state.unread import Unread

_INTEGER_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}
_OPTIONAL, _BYTES, _ARRAY = "?", "&", "[]"
Unpacker = Callable[[bytes, int], Any]
"""Bytes and an offset into them to a named tuple."""


@cache
def _members(names: tuple[str, ...]) -> Any:
    """Return the named tuple with these fields; making its class costs more than all else that a layout takes."""
    return namedtuple("Members", names)


class Layout:
    """Unpack chosen members of a C struct from bytes.

    A member path such as ``head`` or ``mutex.owner.counter`` is a number, a pointer or a bool; the marks around it:

    - ``?path`` may be missing and then reads as ``None``; ``ktrace/inspect/optional.py`` says why
    - ``path[]`` is an array of numbers and reads as a tuple
    - ``&path`` reads as its bytes, whatever it is

    A kernel that has something else there is refused when the layout is made, not misread.

    :param prog: the program whose types are used
    :param type_name: such as ``struct pipe_inode_info``
    :param members: paths; their dots become underscores in the result
    :param renamed: result names for long paths
    :raises MissingMember: this kernel's DWARF has no such member, or something else in its place
    """

    def __init__(self, prog: drgn.Program, type_name: str, *members: str, **renamed: str) -> None:
        self.type = type_of(prog, type_name)
        self.size: int = self.type.size
        self.name = type_name
        wanted = [(plain_path(path).replace(".", "_"), path) for path in members]
        wanted += list(renamed.items())
        self._fields = [self._field(prog, name, path) for name, path in wanted]
        self._make: Callable[[Iterable[Any]], Any] = _members(tuple(field.name for field in self._fields))._make
        self.offsets = _Offsets(type_name, {field.name: field.absent for field in self._fields})
        self.offsets.update({field.name: field.offset for field in self._fields if field.offset is not None})
        here = [field for field in self._fields if field.offset is not None]
        self.start: int = min((field.start for field in here), default=0)
        self.span: int = max((field.start + field.length for field in here), default=0) - self.start
        """Bytes from *start*, where the first member begins, to the end of the last one."""
        plan = self._in_one_go()
        self.unpack: Unpacker = plan(self.start) if plan else self._each(0)
        self.unpack_span: Unpacker = plan(0) if plan else self._each(self.start)
        """The same as *unpack*, of bytes that begin at *start*."""

    def read(self, memory: KernelMemory, address: int) -> Any:
        """Return the members of the structure at kernel *address* as a named tuple."""
        return self.unpack_span(memory.read(address + self.start, self.span), 0)

    def place(self, memory: KernelMemory, address: int) -> Place:
        """Return the bytes of the structure at kernel *address* that *unpack_span* takes, with where they are."""
        return memory.place(address + self.start, self.span)

    def _field(self, prog: drgn.Program, name: str, marked: str) -> _Field:
        """Return how a member is read; one that is missing and may not be reads as :class:`Unread`, and is noted."""
        try:
            return _Field(name, *self._find(marked))
        except MissingMember as error:
            if not unread_allowed(prog):
                raise
            absent = Unread(structure=self.name, member=plain_path(marked))
            note_unread(prog, absent, error)
            return _Field(name, None, "", 0, None, absent)

    def _find(self, marked: str) -> tuple[int | None, str, int, tuple[int, int] | None]:
        """Return offset, struct code, size in bytes, and position and width of a bit field."""
        path = plain_path(marked)
        if marked.startswith(_OPTIONAL):
            require_optional(self.name, path)
        found = find_member(self.type, path)
        if found is None:
            if marked.startswith(_OPTIONAL):
                return None, "", 0, None
            raise MissingMember(self.name, path)
        type_, offset, bit_size = found
        if bit_size is not None:
            length = (offset % 8 + bit_size + 7) // 8
            return offset // 8, f"{length}s", length, (offset % 8, bit_size)
        if _BYTES in marked:
            if not type_.is_complete():
                raise MissingMember(self.name, path, f"is of type {type_.type_name()!r}, which has no size,")
            size = drgn.sizeof(type_)
            return offset // 8, f"{size}s", size, None
        type_, count = bare(type_), None
        if marked.endswith(_ARRAY):
            if type_.kind != drgn.TypeKind.ARRAY or not type_.length:
                raise MissingMember(self.name, path, f"is of type {type_.type_name()!r}, no array,")
            type_, count = bare(type_.type), type_.length
        code = _number_code(type_)
        if code is None:
            raise MissingMember(self.name, path, f"is of type {found[0].type_name()!r}, no number,")
        return offset // 8, f"{count or ''}{code}", drgn.sizeof(type_) * (count or 1), None

    def _in_one_go(self) -> Callable[[int], Unpacker] | None:
        """Return what makes unpackers that are one ``struct.unpack_from`` each, of bytes that begin so many bytes
        before *start*; ``None`` where two names stand for the same bytes."""
        at = self.start
        text = ""
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
        arrange = self._arranged(places, count)
        return lambda before: arrange(struct.Struct(f"<{before}x{text}").unpack_from)

    def _arranged(
        self, places: dict[str, Callable[[Any], Any]], count: int
    ) -> Callable[[Callable[[bytes, int], Any]], Unpacker]:
        """Return what puts *count* unpacked values, in the order of memory, into the order that was asked for.

        :param places: what takes each member out of the values
        """
        make = self._make
        plain = count == len(self._fields) and all(field.bits is None for field in self._fields)
        if plain and [field.name for field in self._fields] == list(places):
            return lambda unpack_from: lambda data, offset: make(unpack_from(data, offset))
        if plain and not any(field.is_array for field in self._fields):
            order = list(places)
            pick = operator.itemgetter(*[order.index(field.name) for field in self._fields])
            return lambda unpack_from: lambda data, offset: make(pick(unpack_from(data, offset)))
        getters: list[Callable[[Any], Any]] = [
            places.get(field.name) or _always(field.absent) for field in self._fields
        ]

        def gathered(unpack_from: Callable[[bytes, int], Any]) -> Unpacker:
            def unpack(data: bytes, offset: int) -> Any:
                values = unpack_from(data, offset)
                return make([get(values) for get in getters])

            return unpack

        return gathered

    def _each(self, start: int) -> Unpacker:
        """Return an unpacker of bytes that begin *start* bytes into the structure, which takes member by member."""

        def unpack(data: bytes, offset: int) -> Any:
            values: list[Any] = []
            for field in self._fields:
                if field.offset is None:
                    values.append(field.absent)
                    continue
                found = struct.unpack_from("<" + field.code, data, offset + field.offset - start)
                if field.bits is not None:
                    values.append(int.from_bytes(found[0], "little") >> field.bits[0] & (1 << field.bits[1]) - 1)
                else:
                    values.append(found if field.is_array else found[0])
            return self._make(values)

        return unpack


LAYOUTS = "ktrace: layouts"
"""Where a drgn program keeps what was compiled of its types."""


def layout_of(prog: drgn.Program, type_name: str, *members: str, **renamed: str) -> Layout:
    """Return the :class:`Layout` of these members, which is made once: readers are built anew for every guest.

    :raises MissingMember: this kernel's DWARF has no such member, or something else in its place
    """
    made: dict[Any, Layout] = prog.cache.setdefault(LAYOUTS, {})
    key = (type_name, members, *renamed.items())
    if key not in made:
        made[key] = Layout(prog, type_name, *members, **renamed)
    return made[key]


def plain_path(marked: str) -> str:
    """Return a member's path without its marks."""
    return marked.lstrip(_OPTIONAL + _BYTES).removesuffix(_ARRAY)


class _Field(NamedTuple):
    name: str
    offset: int | None
    code: str
    length: int
    bits: tuple[int, int] | None
    absent: Unread | None = None

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


def _always(absent: Unread | None) -> Callable[[Any], Any]:
    """Return what stands for a member that this kernel does not have."""
    return lambda _values: absent


class _Offsets(dict[str, int]):
    """Offsets by name; to ask for that of a member that is missing says so."""

    def __init__(self, structure: str, absent: Mapping[str, Unread | None]) -> None:
        super().__init__()
        self._structure = structure
        self._absent = absent

    def __missing__(self, name: str) -> int:
        absent = self._absent.get(name)
        raise MissingMember(self._structure, absent.member if absent is not None else name)


def _number_code(type_: Any) -> str | None:
    """Return the struct code of a number, a pointer or a bool; ``None`` for anything else."""
    if type_.kind == drgn.TypeKind.ENUM:
        type_ = bare(type_.type)
    if type_.kind == drgn.TypeKind.POINTER:
        return "Q"
    if type_.kind == drgn.TypeKind.BOOL:
        return "?"
    if type_.kind != drgn.TypeKind.INT or type_.size not in _INTEGER_CODES:
        return None
    code = _INTEGER_CODES[type_.size]
    return code.lower() if type_.is_signed and type_.name != "char" else code
