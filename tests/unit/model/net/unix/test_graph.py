"""Sockets that only travel towards each other: ``net/unix/garbage.c``."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import pytest

from ktrace.model.net.unix.graph import Edge, Graph
from ktrace.state.changes import Changes
from ktrace.uapi.eventpoll import EPOLLHUP, EPOLLIN
from tests.unit.model.bench import Bench
from tests.unit.model.net.unix.test_sock import rights

WAYS = ("ab", "bc", "cb", "ba")
"""A file of the first waits at the second."""


def is_collected(ways: Sequence[str], unique: bool) -> bool:
    """Close all, and tell whether the pipe's end that travels with the first message is closed, too."""
    bench = Bench("A", changes=Changes(unix_scc_unique=unique))
    bench.call("A", "pipe2", 0)
    read, write = bench.out("A", "pipefd")
    ends = {name: bench.pair() for name in "abc"}
    for number, way in enumerate(ways):
        files = (ends[way[0]][0], *(() if number else (write,)))
        assert bench.call("A", "sendmsg", ends[way[1]][1], rights(*files)) == 1
    for fd in (write, *(fd for pair in ends.values() for fd in pair)):
        bench.call("A", "close", fd)
    bench.call("A", "poll", [{"fd": read, "events": EPOLLIN}], 0)
    (revents,) = bench.out("A", "revents")
    return bool(revents & EPOLLHUP)


@pytest.mark.parametrize("ways", list(permutations(WAYS)), ids="-".join)
def test_all_are_collected_where_a_component_has_one_number(ways: Sequence[str]) -> None:
    """unix_scc_dead(), since __unix_walk_scc() numbers a component."""
    assert is_collected(ways, unique=True)


def test_some_are_forgotten_where_it_has_not() -> None:
    """unix_vertex_dead() compares what is left of the search: docs/kernel-bugs/unix-gc-forgets.md."""
    forgotten = {"-".join(ways) for ways in permutations(WAYS) if not is_collected(ways, unique=False)}
    assert "ab-bc-cb-ba" in forgotten
    assert "ab-ba-bc-cb" not in forgotten


def test_components_are_those_that_reach_each_other() -> None:
    """__unix_walk_scc(), against what a graph's closure says."""

    class Sock:
        """What the graph asks of a sock."""

        listener = None

        def __init__(self, name: int) -> None:
            self.name, self.vertex = name, None

    class Skb:
        """What it asks of a buffer."""

        def __init__(self) -> None:
            self.edges: list[Edge] = []
            self.dead = False

    for seed in range(300):
        graph, socks = Graph(), [Sock(number) for number in range(5)]
        ways = [((seed * 7 + step * step * 3) % 5, (seed // 5 + step * 2) % 5) for step in range(seed % 9 + 1)]
        for start, end in ways:
            graph.add(Skb(), [socks[start]], socks[end])  # type: ignore[arg-type, list-item]
        travelling = {start for start, _ in ways}
        reach = {start: {start} for start in travelling}
        for _ in socks:
            for start in travelling:
                reach[start] |= {end for via in reach[start] & travelling for first, end in ways if first == via}
        expected = {
            frozenset(other for other in travelling if other in reach[start] and start in reach[other])
            for start in travelling
        }
        for unique in (False, True):
            found = graph.walk(unique)
            assert {frozenset(vertex.sk.name for vertex in scc) for scc in found} == expected  # type: ignore[attr-defined]
            assert graph.known() == found
