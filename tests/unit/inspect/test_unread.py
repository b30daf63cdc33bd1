"""A kernel that nobody has seen: what it has no member for is told as unread, what does not need it is still read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import drgn
import pytest

from ktrace.inspect import members
from ktrace.inspect.corrupt import NONSENSE
from ktrace.inspect.inspector import FileTargets
from ktrace.inspect.layout import Layout
from ktrace.inspect.members import MissingMember, allow_unread
from ktrace.inspect.unread import UnreadTargets, reader_or_unread
from ktrace.state.codec import decode, encode
from ktrace.state.compare import compare
from ktrace.state.net.skbuff import Buffer
from ktrace.state.ref import Ref
from ktrace.state.unread import Unread, UnreadMember
from ktrace.state.world import World

ABSENT = Unread("struct sample", "gone")


@pytest.fixture
def prog() -> Iterator[drgn.Program]:
    prog = drgn.Program(drgn.Platform(drgn.Architecture.X86_64))
    word = prog.int_type("unsigned long", 8, False)
    inner = prog.struct_type("inner", 8, [drgn.TypeMember(word, "y", 0)])
    sample = prog.struct_type("sample", 16, [drgn.TypeMember(word, "x", 0), drgn.TypeMember(inner, "odd", 64)])
    prog.register_type_finder("fake", lambda _p, _k, name, _f: sample if name == "sample" else None, enable_index=0)
    yield prog
    prog.cache.pop(members._UNREAD, None)


def test_a_missing_member_is_refused_unless_it_may_be_passed_over(prog: drgn.Program) -> None:
    with pytest.raises(MissingMember, match=r"struct sample has no member 'gone'"):
        Layout(prog, "struct sample", "x", "gone")
    unread = allow_unread(prog)
    layout = Layout(prog, "struct sample", "gone", "x", "odd", "odd.y")
    assert list(unread) == ["struct sample.gone", "struct sample.odd"]
    found = layout.unpack((7).to_bytes(8, "little") + (9).to_bytes(8, "little"), 0)
    assert (found.x, found.odd_y, found.gone, found.odd.name) == (7, 9, ABSENT, "struct sample.odd")
    with pytest.raises(MissingMember, match=r"struct sample has no member 'gone'"):
        layout.offsets["gone"]


def test_what_is_reckoned_with_it_is_unread_and_what_depends_on_it_says_so() -> None:
    absent: Any = ABSENT
    assert absent + 1 is absent and 1 << absent is absent and absent & 3 is absent and ~absent is absent
    for needs in (
        bool,
        int,
        len,
        iter,
        lambda it: it > 1,
        lambda it: range(5)[it],
        lambda it: it[0],
        lambda it: 1 in it,
    ):
        with pytest.raises(
            UnreadMember, match=r"struct sample\.gone is not in this kernel's debug information"
        ) as found:
            needs(absent)
        assert found.value.absent is ABSENT
        assert not isinstance(found.value, NONSENSE)
    assert str(ABSENT) == "unread"
    assert decode(encode(ABSENT)) == ABSENT


def buffer(**changed: Any) -> Buffer:
    return Buffer(**{"len": 1, "data_len": 0, "truesize": 768, "data": b"x", "sk": None, **changed})


def test_nothing_is_held_against_what_was_not_read_and_all_else_is() -> None:
    ref, other = Ref("skb", "1"), Ref("skb", "2")
    expected = World({ref: buffer(), other: buffer()})
    assert compare(World({ref: buffer(truesize=ABSENT), other: buffer()}), expected) == []
    (found,) = compare(World({ref: buffer(truesize=ABSENT, len=2), other: buffer()}), expected)
    assert (found.path, found.observed, found.expected) == ("skb 1.len", 2, 1)
    # An object that cannot be read at all may have led to others; without one, what is absent is missed.
    assert compare(World({ref: ABSENT}), expected) == []
    assert [item.path for item in compare(World({ref: buffer()}), expected)] == ["skb 2"]


def test_names_of_a_kind_that_was_not_wholly_read_are_not_compared() -> None:
    a, b = Ref("sock", "1"), Ref("sock", "2")
    expected = World({Ref("skb", "1"): buffer(sk=a)})
    assert [item.path for item in compare(World({Ref("skb", "1"): buffer(sk=b)}), expected)] == ["skb 1.sk"]
    assert compare(World({Ref("skb", "1"): buffer(sk=b), a: ABSENT}), World({**expected.objects, a: buffer()})) == []


def test_a_reader_that_cannot_be_made_has_a_stand_in(prog: drgn.Program) -> None:
    def make() -> FileTargets:
        raise MissingMember("struct sample", "gone")

    with pytest.raises(MissingMember):
        reader_or_unread(prog, make, frozenset({"sample_fops"}), "sample")
    unread = allow_unread(prog)
    stand_in = reader_or_unread(prog, make, frozenset({"sample_fops"}), "sample")
    assert isinstance(stand_in, UnreadTargets) and stand_in.absent == ABSENT
    assert list(unread) == ["struct sample.gone"]
