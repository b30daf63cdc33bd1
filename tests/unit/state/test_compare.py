"""A comparison names exactly the fields that differ."""

from __future__ import annotations

from dataclasses import replace

from ktrace.state.allowed import Between, OneOf, allowed
from ktrace.state.compare import ABSENT, Difference, Held, compare, count_fields
from ktrace.state.fs.file import Descriptor, DescriptorTable
from ktrace.state.process.process import Process
from ktrace.state.ref import Ref
from ktrace.state.rule import Choice, Rule
from ktrace.state.world import World

TABLE = DescriptorTable(1, {3: Descriptor(Ref("file", "file1"), False), 5: Descriptor(Ref("file", "file2"), True)})
RULE = Rule("kernel/sys.c", "setuid", "anything")
A = Process("A", 7, Ref("fdtable", "fdtable1"), 0, 0, 0, 0)


def test_equal_worlds_have_no_difference() -> None:
    assert compare(World({Ref("fdtable", "fdtable1"): TABLE}), World({Ref("fdtable", "fdtable1"): TABLE})) == []


def test_one_field_is_named_by_its_path() -> None:
    other = DescriptorTable(1, {**TABLE.fds, 5: Descriptor(Ref("file", "file2"), False)})
    found = compare(World({Ref("fdtable", "fdtable1"): other}), World({Ref("fdtable", "fdtable1"): TABLE}))
    assert found == [Difference("fdtable1.fds[5].cloexec", False, True)]


def test_a_missing_key_is_absent_on_its_side() -> None:
    other = DescriptorTable(1, {3: TABLE.fds[3]})
    found = compare(World({Ref("fdtable", "fdtable1"): other}), World({Ref("fdtable", "fdtable1"): TABLE}))
    assert found == [Difference("fdtable1.fds[5]", ABSENT, TABLE.fds[5])]


def test_a_missing_object_is_absent_on_its_side() -> None:
    found = compare(World({}), World({Ref("process", "A"): A}))
    assert found == [Difference("process A", ABSENT, A)]


def test_an_allowed_set_admits_its_members_only() -> None:
    ref = Ref("process", "A")
    expected = World({ref: replace(A, uid=allowed(Between(RULE, 5, 7)), gid=allowed(OneOf(RULE, (1, 2))))})
    assert compare(World({ref: replace(A, uid=6, gid=2)}), expected) == []
    paths = [item.path for item in compare(World({ref: replace(A, uid=8, gid=3)}), expected)]
    assert paths == ["process A.uid", "process A.gid"]


def test_what_is_held_to_a_rule_is_told_once_and_counted_each_time() -> None:
    ref, agreed = Ref("process", "A"), {}  # type: ignore[var-annotated]
    expected = World({ref: replace(A, uid=allowed(Between(RULE, 5, 7)))})
    for observed, chosen in ((6, [6]), (6, []), (7, [7])):
        held = Held()
        assert compare(World({ref: replace(A, uid=observed)}), expected, agreed, held) == []
        assert held == Held(1, [Choice(RULE, value, True, "process A.uid") for value in chosen])
    held = Held()
    assert len(compare(World({ref: replace(A, uid=8)}), expected, agreed, held)) == 1
    assert held.choices == [Choice(RULE, 8, False, "process A.uid")]


def test_fields_are_counted_as_leaves() -> None:
    assert count_fields((1, "two", {"a": b"three", "b": (4, None)}, Descriptor(Ref("file", "file1"), True))) == 7
