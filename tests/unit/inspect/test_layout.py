"""What a layout makes of a structure, and of one that is not what its reader expects."""

from __future__ import annotations

import struct
from typing import Any

import drgn
import pytest

from ktrace.inspect import optional
from ktrace.inspect.layout import Layout
from ktrace.inspect.members import MissingMember, offset_of


class Memory:
    """One structure at address 0x1000, of which *read* tells what was asked for."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.asked: list[tuple[int, int]] = []

    def read(self, address: int, size: int) -> bytes:
        """Return bytes."""
        self.asked.append((address, size))
        return self.data[address - 0x1000 : address - 0x1000 + size]


@pytest.fixture
def prog(monkeypatch: pytest.MonkeyPatch) -> drgn.Program:
    """A program that knows one structure, ``struct sample``, and that it may lack two members."""
    prog = drgn.Program(drgn.Platform(drgn.Architecture.X86_64))
    u8, u16 = prog.int_type("unsigned char", 1, False), prog.int_type("unsigned short", 2, False)
    s32, u64 = prog.int_type("int", 4, True), prog.int_type("unsigned long", 8, False)
    huge = prog.int_type("__int128", 16, True)
    counter = prog.typedef_type("atomic_t", prog.struct_type(None, 4, [drgn.TypeMember(s32, "counter", 0)]))
    state = prog.enum_type("state", u16, [drgn.TypeEnumerator("ON", 1)])

    def member(type_: Any, name: str, offset: int, bits: int | None = None) -> drgn.TypeMember:
        found = (
            type_
            if bits is None
            else drgn.Object(prog, type_, absence_reason=drgn.AbsenceReason.OTHER, bit_field_size=bits)
        )
        return drgn.TypeMember(found, name, offset)

    sample = prog.struct_type(
        "sample",
        64,
        [
            member(u64, "first", 0),
            member(counter, "users", 8 * 8),
            member(state, "state", 8 * 12),
            member(u8, "low", 8 * 14, bits=3),
            member(u8, "high", 8 * 14 + 3, bits=5),
            member(prog.array_type(u16, 4), "limits", 8 * 16),
            member(prog.pointer_type(u64), "next", 8 * 24),
            member(prog.array_type(s32, None), "tail", 8 * 32),
            member(huge, "huge", 8 * 32),
            member(prog.struct_type("undefined", None, None), "hidden", 8 * 48),
        ],
    )
    undefined = prog.struct_type("undefined", None, None)

    def find(_prog: drgn.Program, _kinds: Any, name: str, _file: str | None) -> Any:
        return {"sample": sample, "undefined": undefined}.get(name)

    prog.register_type_finder("fake", find, enable_index=0)
    monkeypatch.setattr(optional, "OPTIONAL", {})
    monkeypatch.setattr("ktrace.inspect.members.OPTIONAL", {"struct sample.gone": "", "struct sample.state": ""})
    return prog


DATA = struct.pack("<QiHBx4HQ", 7, -2, 1, 5 | 9 << 3, 10, 20, 30, 40, 0xFFFF888000001000).ljust(64, b"\0")


def test_members_come_as_what_they_are(prog: drgn.Program) -> None:
    layout = Layout(
        prog, "struct sample", "users.counter", "state", "low", "high", "limits[]", "next", first="&first", gone="?gone"
    )
    found = layout.unpack(DATA, 0)
    assert (found.users_counter, found.state, found.low, found.high) == (-2, 1, 5, 9)
    assert (found.limits, found.next, found.gone) == ((10, 20, 30, 40), 0xFFFF888000001000, None)
    assert found.first == (7).to_bytes(8, "little")
    assert Layout(prog, "struct sample", "?state").unpack(DATA, 0).state == 1


def test_only_what_lies_between_the_members_is_read(prog: drgn.Program) -> None:
    layout, memory = Layout(prog, "struct sample", "state", "next"), Memory(DATA)
    found: Any = layout.read(memory, 0x1000)  # type: ignore[arg-type]
    assert (found.state, found.next) == (1, 0xFFFF888000001000)
    assert memory.asked == [(0x1000 + 12, 20)]


def test_two_names_for_the_same_bytes_are_read_both(prog: drgn.Program) -> None:
    layout, memory = Layout(prog, "struct sample", "users.counter", raw="&users", last="next"), Memory(DATA)
    found: Any = layout.read(memory, 0x1000)  # type: ignore[arg-type]
    assert (found.users_counter, found.raw, found.last) == (-2, struct.pack("<i", -2), 0xFFFF888000001000)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("gone", "struct sample has no member 'gone' in this vmlinux"),
        ("users.count", "struct sample has no member 'users.count' in this vmlinux"),
        ("first.count", "struct sample has no member 'first.count' in this vmlinux"),
        ("users", "struct sample.users is of type 'atomic_t', no number, in this vmlinux"),
        ("limits", "struct sample.limits is of type 'unsigned short [4]', no number, in this vmlinux"),
        ("first[]", "struct sample.first is of type 'unsigned long', no array, in this vmlinux"),
        ("tail[]", "struct sample.tail is of type 'int []', no array, in this vmlinux"),
        ("huge", "struct sample.huge is of type '__int128', no number, in this vmlinux"),
        ("hidden", "struct sample.hidden is of type 'struct undefined', no number, in this vmlinux"),
        ("hidden.x", "struct sample has no member 'hidden.x' in this vmlinux"),
        ("&hidden", "struct sample.hidden is of type 'struct undefined', which has no size, in this vmlinux"),
    ],
)
def test_what_is_not_there_or_something_else_is_named(prog: drgn.Program, path: str, message: str) -> None:
    with pytest.raises(MissingMember) as caught:
        Layout(prog, "struct sample", path)
    assert caught.value.message == message
    assert (caught.value.structure, caught.value.member) == ("struct sample", path.strip("&[]"))


@pytest.mark.parametrize("name", ["struct nothing", "struct undefined", "int nonsense", "struct a b"])
def test_a_type_that_is_not_there_is_named(prog: drgn.Program, name: str) -> None:
    for attempt in (lambda: Layout(prog, name, "x"), lambda: offset_of(prog, name, "x")):
        with pytest.raises(MissingMember, match=f"^{name} is unknown in this vmlinux(?:\n|$)"):
            attempt()


def test_offsets_are_those_of_paths(prog: drgn.Program) -> None:
    assert offset_of(prog, "struct sample", "users.counter") == 8
    assert offset_of(prog, "struct sample", "limits") == 16
    for path in ("high", "gone", "first.x", "users.count", ""):
        with pytest.raises(MissingMember):
            offset_of(prog, "struct sample", path)
