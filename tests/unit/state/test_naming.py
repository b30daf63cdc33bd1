"""Names are given by the graph alone, never by addresses."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ktrace.state.compare import compare
from ktrace.state.fs.file import Descriptor, DescriptorTable, File
from ktrace.state.naming import Namer
from ktrace.state.process.process import Process
from ktrace.state.ref import Ref
from ktrace.state.world import World


def world(keys: dict[str, int], fds: dict[int, str], targets: dict[str, str]) -> World:
    """Build one process with descriptors *fds* to files that open *targets*."""
    table = {fd: Descriptor(Ref("file", keys[name]), False) for fd, name in fds.items()}
    objects = {
        Ref("process", "A"): Process("A", 7, Ref("fdtable", keys["table"]), 0, 0, 0, 0),
        Ref("fdtable", keys["table"]): DescriptorTable(1, table),
    }
    for name in set(fds.values()):
        objects[Ref("file", keys[name])] = File("f", "r", (), 1, Ref("pipe", keys[targets[name]]))
    return World(objects)


NAMES = ("table", "f1", "f2", "f3", "p1", "p2")
KEYS = st.lists(st.integers(1, 1 << 48), min_size=len(NAMES), max_size=len(NAMES), unique=True).map(
    lambda values: dict(zip(NAMES, values, strict=True))
)


@settings(deadline=None)  # the machine may be busy
@given(KEYS, KEYS)
def test_names_do_not_depend_on_addresses(left: dict[str, int], right: dict[str, int]) -> None:
    steps = [
        ({3: "f1"}, {"f1": "p1"}),
        ({3: "f1", 4: "f2", 5: "f3"}, {"f1": "p1", "f2": "p2", "f3": "p1"}),
        ({4: "f2", 5: "f3"}, {"f2": "p2", "f3": "p1"}),
    ]
    one, other = Namer(), Namer()
    for fds, targets in steps:
        assert one.name(world(left, fds, targets)) == other.name(world(right, fds, targets))


def test_an_object_keeps_its_name_while_it_lives() -> None:
    keys = dict(zip(NAMES, (10, 20, 30, 40, 50, 60), strict=True))
    namer = Namer()
    namer.name(world(keys, {3: "f1", 4: "f2"}, {"f1": "p1", "f2": "p2"}))
    after = namer.name(world(keys, {4: "f2"}, {"f2": "p2"}))
    assert after.objects[Ref("file", "file2")].target == Ref("pipe", "pipe2")


def test_a_reused_address_gets_a_new_name() -> None:
    keys = dict(zip(NAMES, (10, 20, 30, 40, 50, 60), strict=True))
    namer = Namer()
    namer.name(world(keys, {3: "f1"}, {"f1": "p1"}))
    namer.name(world(keys, {}, {}))
    again = namer.name(world(keys, {3: "f1"}, {"f1": "p1"}))
    assert Ref("file", "file2") in again.objects


def test_a_swapped_target_is_a_difference() -> None:
    keys = dict(zip(NAMES, (10, 20, 30, 40, 50, 60), strict=True))
    straight, crossed = Namer(), Namer()
    left = straight.name(world(keys, {3: "f1", 4: "f2", 5: "f3"}, {"f1": "p1", "f2": "p2", "f3": "p1"}))
    right = crossed.name(world(keys, {3: "f1", 4: "f2", 5: "f3"}, {"f1": "p1", "f2": "p2", "f3": "p2"}))
    assert [item.path for item in compare(left, right)] == ["file3.target"]


def test_pages_are_named_within_one_world() -> None:
    namer = Namer()
    first = namer.name(World({Ref("process", "A"): (Ref("page", 7), Ref("page", 9), Ref("page", 7))}))
    second = namer.name(World({Ref("process", "A"): (Ref("page", 9), Ref("page", 7), Ref("page", 9))}))
    assert first == second


def test_another_namer_goes_on_with_the_names() -> None:
    first, second = Namer(), Namer()
    keys = dict(zip(NAMES, range(1, 7), strict=True))
    fresh: dict[Ref, int] = {}
    first.name(world(keys, {0: "f1", 1: "f2"}, {"f1": "p1", "f2": "p2"}))
    fresh.update(first.fresh)
    last = first.name(world(keys, {1: "f2"}, {"f2": "p2"}))
    fresh.update(first.fresh)
    assert fresh[Ref("pipe", "pipe2")] == keys["p2"]
    second.adopt(fresh, last)
    # f1's address comes again: it is another file.
    again = world(keys, {0: "f1", 1: "f2"}, {"f1": "p2", "f2": "p2"})
    assert second.name(again) == first.name(again)
    assert second.fresh == first.fresh == {Ref("file", "file3"): keys["f1"]}
    assert second.addresses == first.addresses
