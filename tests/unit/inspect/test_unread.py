"""A kernel that nobody has seen: what it has no member for is told as unread, what does not need it is still read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import drgn
import pytest

from ktrace.errors import KernelLacks
from ktrace.inspect import members
from ktrace.inspect.corrupt import NONSENSE
from ktrace.inspect.inspector import Observation
from ktrace.inspect.layout import Layout
from ktrace.inspect.members import MissingMember, allow_unread
from ktrace.inspect.unread import UnreadTargets, absence, reader_or_unread
from ktrace.model.observed import Evidence, Observed
from ktrace.state.codec import decode, encode
from ktrace.state.compare import compare
from ktrace.state.map_refs import rename
from ktrace.state.net.skbuff import Buffer
from ktrace.state.ref import Ref
from ktrace.state.rule import Rule
from ktrace.state.unread import Unread, UnreadMember
from ktrace.state.world import World
from tests.unit.model.bench import IPC, Bench

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


class Samples:
    f_ops, kind, by_inode = frozenset({"sample_fops"}), "sample", False

    def file_target(self, observation: Observation, file: int, private_data: int, f_inode: int) -> Ref:
        """Read nothing."""
        raise NotImplementedError


def test_a_reader_that_cannot_be_made_has_a_stand_in(prog: drgn.Program) -> None:
    def make() -> Samples:
        raise MissingMember("struct sample", "gone")

    with pytest.raises(MissingMember):
        reader_or_unread(prog, Samples, make)
    unread = allow_unread(prog)
    stand_in = reader_or_unread(prog, Samples, make)
    assert isinstance(stand_in, UnreadTargets) and stand_in.absent == ABSENT
    assert list(unread) == ["struct sample.gone"]


def test_what_an_unread_object_led_to_has_uncertain_names_from_then_on() -> None:
    """A sock that could not be read once: which buffer is which is not known any more, all else is compared."""
    sock, one, two, pipe = Ref("sock", "sock1"), Ref("skb", "skb1"), Ref("skb", "skb2"), Ref("pipe", "pipe1")
    led_to = buffer(sk=one)
    expected = World({sock: led_to, one: buffer(), two: buffer(len=2), pipe: buffer(len=7)})
    unsure: set[str] = set()
    assert compare(World({sock: ABSENT, pipe: buffer(len=7)}), expected, unsure=unsure) == []
    assert unsure == {"skb"}
    swapped = World({sock: buffer(sk=two), one: buffer(len=2), two: buffer(), pipe: buffer(len=8)})
    assert [item.path for item in compare(swapped, expected, unsure=unsure)] == ["pipe1.len"]
    assert len(compare(swapped, expected)) == 4


def test_a_member_that_is_unread_leads_nowhere() -> None:
    absent: Any = ABSENT
    value = buffer(sk=absent, data=absent)
    assert rename(value, lambda ref: Ref(ref.kind, "1")) == value
    assert rename(buffer(sk=Ref("sock", "1")), lambda ref: Ref("other", "1")).sk == Ref("other", "1")


def test_what_is_in_the_place_of_a_number_ends_one_object(prog: drgn.Program) -> None:
    with pytest.raises(TypeError):
        absence(prog, TypeError("a bytes-like object is required"))
    allow_unread(prog)[ABSENT.name] = ABSENT
    assert absence(prog, TypeError("a bytes-like object is required")) is ABSENT
    assert absence(prog, MissingMember("struct sample", "other")) == Unread("struct sample", "other")
    with pytest.raises(KernelLacks, match="no tracer"):
        absence(prog, KernelLacks("no tracer"))


def test_the_model_says_what_it_cannot_choose_by() -> None:
    """Where the kernel's choice would be in what was not read."""
    world = World({Ref("msg", "0"): ABSENT})
    bench = Bench("A")
    rule = Rule("ipc/msg.c", "do_msgrcv", "a choice")
    bench.kernel._observed = Observed(Evidence(world=world))
    with pytest.raises(UnreadMember, match=r"struct sample\.gone"):
        bench.kernel.choose(rule, lambda seen: next(iter(())), bool, 0)
    bench.kernel._observed = Observed(Evidence())
    with pytest.raises(StopIteration):
        bench.kernel.choose(rule, lambda seen: next(iter(())), bool, 0)


def test_facts_may_lack_what_no_call_asks_for() -> None:
    absent: Any = ABSENT
    bench = Bench("A", ipc=replace(IPC, shm_ctlmax=absent))
    assert bench.call("A", "semget", 0, 1, 0o600) == 0
    with pytest.raises(UnreadMember, match=r"struct sample\.gone is not in this kernel's debug information"):
        bench.call("A", "shmget", 0, 4096, 0o600)
