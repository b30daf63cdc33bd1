"""A comparison names exactly the fields that differ."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from ktrace.state import codec
from ktrace.state.allowed import Between, OneOf, Stays, allowed
from ktrace.state.call import Completed, Event, Outcome, Result, Signalled
from ktrace.state.compare import ABSENT, Difference, Held, compare, count_fields
from ktrace.state.fs.file import Descriptor, DescriptorTable
from ktrace.state.ipc.sem import LIST_ID, LIST_PROC, PENDING_CONST, Sem, SemArray, SemUndoList
from ktrace.state.order import unordered_fields
from ktrace.state.process.process import SHM_CLIST, Process
from ktrace.state.ref import Ref
from ktrace.state.rule import Choice, Rule
from ktrace.state.world import World
from ktrace.verify.checker import WAKE_ORDER, compare_outcomes

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


def test_what_stays_is_anything_at_first_and_the_same_ever_after() -> None:
    ref = Ref("process", "A")
    pid = Stays(RULE, 1, 99)

    def found(observed: int | None) -> list[Difference]:
        held = Held()
        expected = World({ref: replace(A, pid=allowed(pid.settled()))})
        return compare(World({ref: replace(A, pid=observed)}), expected, held=held)  # type: ignore[arg-type]

    assert found(None) == [], "nobody read it"
    (difference,) = found(100)
    assert (difference.path, difference.observed, str(difference.expected)) == ("process A.pid", 100, f"1..99 ({RULE})")
    assert found(7) == [] == found(7)
    assert found(8) == [Difference("process A.pid", 8, 7)]
    assert found(None) == [Difference("process A.pid", None, 7)]


UNORDERED = [
    ("sem_array.list_id", SemArray, "list_id", LIST_ID),
    ("sem_array.pending_const", SemArray, "pending_const", PENDING_CONST),
    ("sem.pending_const", Sem, "pending_const", PENDING_CONST),
    ("sem_undo_list.list_proc", SemUndoList, "list_proc", LIST_PROC),
    ("process.shm_clist", Process, "shm_clist", SHM_CLIST),
]


def sample(cls: Any, **given: Any) -> Any:
    """Return an object of *cls* whose members are nothing in particular."""
    return cls(**{item.name: given.get(item.name, ()) for item in fields(cls)})


def test_every_unordered_field_is_tested() -> None:
    found = {(cls, name, rule) for cls in codec.types() for name, rule in unordered_fields(cls).items()}
    assert found == {(cls, name, rule) for _, cls, name, rule in UNORDERED}


@pytest.mark.parametrize(("path", "cls", "name", "rule"), UNORDERED, ids=[row[0] for row in UNORDERED])
def test_only_membership_of_an_unordered_list_is_compared(path: str, cls: Any, name: str, rule: Rule) -> None:
    ref = Ref("x", "x1")
    a, b, c = Ref("y", "y1"), Ref("y", "y2"), Ref("y", "y3")

    def found(observed: tuple[Ref, ...], expected: tuple[Ref, ...]) -> tuple[list[Difference], Held]:
        held = Held()
        seen, wanted = (World({ref: sample(cls, **{name: value})}) for value in (observed, expected))
        return compare(seen, wanted, held=held), held

    assert found((a, b, c), (c, a, b)) == ([], Held(1, [Choice(rule, (a, b, c), True, f"x1.{name}")]))
    assert found((a, b), (a, b)) == ([], Held())
    assert found((b, c), (a, b))[0] == [Difference(f"x1.{name}[0]", c, a)]
    assert found((b,), (a, b))[0] == [Difference(f"x1.{name}[0]", ABSENT, a)]
    assert found((b, b, a), (a, b))[0] == [Difference(f"x1.{name}[0]", b, ABSENT)]
    assert found((a, a, b), (a, b, b))[0] == [Difference(f"x1.{name}[0]", a, b)]


def test_who_is_woken_first_is_nobodys_business_but_what_comes_of_it_is() -> None:
    def outcome(*events: Event) -> Outcome:
        return Outcome(events, frozenset())

    a, b = Completed("A", Result(-1, "EIDRM")), Completed("B", Result(-1, "EIDRM"))
    held: list[Choice] = []
    assert compare_outcomes(outcome(b, a), outcome(a, b), held) == []
    assert held == [Choice(WAKE_ORDER, "B's result, A's result", True, "order of events")]
    took = Completed("A", Result(5))
    assert [item.path for item in compare_outcomes(outcome(b, a), outcome(took, b))] == ["A's result[value]"]
    assert compare_outcomes(outcome(b), outcome(a, b)) == [Difference("A's result", ABSENT, {"value": "EIDRM"})]
    signal = Signalled(actor="A", signal="SIGIO", code=0, sender=None, fd=0, band=0)
    found = compare_outcomes(outcome(signal, a), outcome(a, signal))
    assert [item.path for item in found] == ["order of events"], "one actor's own events have an order"
