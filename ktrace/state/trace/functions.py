"""The kernel functions that a step went through, as the function graph tracer saw them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field

from ktrace.state.quick import dataclass

SOFTIRQ_THREAD = "ksoftirqd/0"
"""It appears among the actors where it had something to do (``kernel/softirq.c: run_ksoftirqd()``)."""

_PART = re.compile(r"\.part\.[0-9]+$")
"""What gcc appends to the rest of a function whose beginning it inlined."""


def whole_function(symbol: str) -> str:
    """Return the function that a symbol is all or part of: ``__do_pipe_flags`` of ``__do_pipe_flags.part.0``."""
    return _PART.sub("", symbol) if "." in symbol else symbol


@dataclass(frozen=True, slots=True)
class Span:
    """One function that ran, or part of it.

    :param depth: 0 for a system call's entry
    :param start: ns of the guest's scheduler clock (``sched_clock()``)
    :param duration: ns, sleep included; ``None`` where it had not returned when the step ended
    :param continued: it was entered in an earlier step, and slept since
    """

    depth: int
    function: str
    start: int
    duration: int | None
    continued: bool = False


@dataclass(frozen=True, slots=True)
class FunctionTrace:
    """The functions of one step.

    :param spans: by actor, in the order of entry: what follows deeper belongs to what stands before it
    :param lost: entries and returns that the tracer had no room for
    :param inlined: by function, what gcc inlined in it and where: ``("get_pipe_inode", "fs/pipe.c:920")``. No tracer
        sees these; whether they ran is not known
    """

    spans: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)
    lost: int = 0
    inlined: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)

    def functions(self, actor: str) -> tuple[str, ...]:
        """Return the names of what *actor* went through, in order."""
        return tuple(span.function for span in self.spans.get(actor, ()))


@dataclass(frozen=True, slots=True)
class Node:
    """A span with what it called."""

    span: Span
    children: tuple[Node, ...]

    def walk(self) -> Iterator[Node]:
        """Yield this node and all below it, in the order of entry."""
        yield self
        for child in self.children:
            yield from child.walk()


def tree(spans: tuple[Span, ...]) -> tuple[Node, ...]:
    """Return *spans* as trees."""
    roots: list[Node] = []
    open_: list[tuple[Span, list[Node]]] = []

    def close() -> None:
        span, children = open_.pop()
        node = Node(span, tuple(children))
        (open_[-1][1] if open_ else roots).append(node)

    for span in spans:
        while open_ and open_[-1][0].depth >= span.depth:
            close()
        open_.append((span, []))
    while open_:
        close()
    return tuple(roots)
