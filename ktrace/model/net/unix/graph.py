"""Which AF_UNIX sockets travel to which: a graph, and its strongly connected components (``net/unix/garbage.c``)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ktrace.model.net.core.skbuff import SkBuff
    from ktrace.model.net.unix.sock import Unix

MARK1, MARK2, START = range(3)
"""``enum unix_vertex_index``."""


@dataclass(eq=False)
class Edge:
    """A file of *predecessor* waits at *successor* (``struct unix_edge``)."""

    predecessor: Unix
    successor: Unix

    def target(self) -> Vertex | None:
        """Return where it leads: an embryo stands for its listener (``unix_edge_successor()``)."""
        return (self.successor.listener or self.successor).vertex


@dataclass(eq=False)
class Vertex:
    """A sock whose file travels (``struct unix_vertex``).

    :param scc: the vertices of its component in the order in which they were met (``scc_entry``)
    """

    sk: Unix
    index: int
    scc_index: int
    edges: list[Edge] = field(default_factory=list)
    scc: list[Vertex] = field(default_factory=list)


class Graph:
    """All sockets that travel.

    :ivar vertices: in the order in which they are looked at (``unix_unvisited_vertices``)
    :ivar maybe_cyclic: a component may be; *grouped*: the components that are known are up to date
    """

    def __init__(self) -> None:
        self.vertices: list[Vertex] = []
        self.maybe_cyclic = False
        self.grouped = False
        self.max_scc_index = START
        self._unvisited, self._grouped_index = MARK1, MARK2

    def add(self, skb: SkBuff, travelling: Iterable[Unix], receiver: Unix) -> None:
        """Note that the socks *travelling* in *skb* wait at *receiver* (``unix_add_edges()``)."""
        for sk in travelling:
            edge = Edge(sk, receiver)
            vertex = sk.vertex
            if vertex is None:
                self.max_scc_index += 1
                vertex = sk.vertex = Vertex(sk, self._unvisited, self.max_scc_index)
                vertex.scc = [vertex]
                self.vertices.append(vertex)
            vertex.edges.append(edge)
            skb.edges.append(edge)
            self.update(edge.target())

    def remove(self, skb: SkBuff) -> None:
        """Forget the files of *skb* (``unix_del_edges()``)."""
        for edge in skb.edges:
            vertex = edge.predecessor.vertex
            assert vertex is not None
            if not skb.dead:
                self.update(edge.target())
            vertex.edges.remove(edge)
            if not vertex.edges:
                edge.predecessor.vertex = None
                self.vertices.remove(vertex)
                vertex.scc.remove(vertex)
        skb.edges = []

    def update(self, vertex: Vertex | None) -> None:
        """Have the components found anew where what changed leads to one that travels (``unix_update_graph()``)."""
        if vertex is not None:
            self.maybe_cyclic, self.grouped = True, False

    def walk(self, unique: bool) -> list[list[Vertex]]:
        """Find the components, and return them (``unix_walk_scc()``).

        :param unique: all of one get its number as ``scc_index``; before that, who was left before a way further
            back was found kept a larger one
        """
        found: list[list[Vertex]] = []
        self.max_scc_index, last_index = START, START
        for vertex in self.vertices:
            if vertex.index == self._unvisited:
                last_index = self._visit(vertex, last_index, found, unique)
        self.vertices = [vertex for scc in found for vertex in scc]
        for scc in found:
            for vertex in scc:
                vertex.scc = scc
        self._unvisited, self._grouped_index = self._grouped_index, self._unvisited
        self.grouped = True
        return found

    def _visit(self, vertex: Vertex, last_index: int, found: list[list[Vertex]], unique: bool) -> int:
        """Follow all edges, deepest first (``__unix_walk_scc()``)."""
        on_stack: list[Vertex] = []
        way: list[tuple[Vertex, list[Edge]]] = []

        def enter(vertex: Vertex) -> None:
            nonlocal last_index
            on_stack.append(vertex)
            vertex.index = vertex.scc_index = last_index
            last_index += 1
            way.append((vertex, list(vertex.edges)))

        enter(vertex)
        while way:
            vertex, edges = way[-1]
            if edges:
                following = edges.pop(0).target()
                if following is None:
                    continue
                if following.index == self._unvisited:
                    enter(following)
                elif following.index != self._grouped_index:
                    vertex.scc_index = min(vertex.scc_index, following.scc_index)
                continue
            way.pop()
            if vertex.index == vertex.scc_index:
                at = on_stack.index(vertex)
                scc = on_stack[at:]
                del on_stack[at:]
                for other in scc:
                    other.index = self._grouped_index
                    if unique:
                        other.scc_index = vertex.scc_index
                found.append(scc)
            if way:
                before = way[-1][0]
                before.scc_index = min(before.scc_index, vertex.scc_index)
        return last_index

    def known(self) -> list[list[Vertex]]:
        """Return the components as they were found last (``unix_walk_scc_fast()``)."""
        found: list[list[Vertex]] = []
        for vertex in self.vertices:
            if not any(vertex in scc for scc in found):
                found.append(list(vertex.scc))
        self.vertices = [vertex for scc in found for vertex in scc]
        return found


def is_cyclic(scc: list[Vertex]) -> bool:
    """Tell whether one may reach itself (``unix_scc_cyclic()``)."""
    return len(scc) > 1 or any(edge.target() is scc[0] for edge in scc[0].edges)
