"""The functions of a step as an indented tree."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from ktrace.state.trace.functions import FunctionTrace, Node, tree, whole_function

_Inlined = Mapping[str, tuple[tuple[str, str], ...]]

SHORT_DEPTH, SHORT_LINES = 5, 16

_FAULTS = ("lock_mm_and_find_vma", "handle_mm_fault", "exc_page_fault")
"""Where a page fault begins; ``up_read`` beside them is its end (``arch/x86/mm/fault.c: do_user_addr_fault()``)."""
_DETAILS = ("_raw_", "__cond_resched", "rcu_all_qs", "should_failslab", "up_read", "down_read_trylock")


def function_lines(trace: FunctionTrace, whole: bool = False) -> Iterator[tuple[str, str, str]]:
    """Yield actor, indented function and remark, line by line.

    :param whole: all of it; else to a certain depth, without locks and page faults, and only so many lines an
        actor. What is left out is counted
    """
    for actor, spans in trace.spans.items():
        nodes = tree(spans)
        if whole:
            yield from ((actor, text, remark) for text, remark in _nodes(nodes, 0, None, trace.inlined))
            continue
        lines = list(_nodes(_without_details(nodes), 0, SHORT_DEPTH, {}))
        yield from ((actor, text, remark) for text, remark in lines[:SHORT_LINES])
        if len(lines) > SHORT_LINES:
            yield actor, "...", f"{len(spans)} functions in all"
    if trace.lost:
        yield "", f"{trace.lost} events lost", "the trace buffer was too small"


def call_path_lines(trace: FunctionTrace, call_path: Mapping[str, Collection[str]]) -> Iterator[tuple[str, str, str]]:
    """Yield what :func:`function_lines` does of the functions in *call_path* alone, each below its nearest caller.

    :param call_path: by actor, ``""`` for whoever else is there; ``*`` in a name stands for any letters
    """
    for actor, spans in trace.spans.items():
        names = call_path.get(actor, call_path.get("", ()))
        patterns = [name for name in names if "*" in name]

        def wanted(name: str, names: Collection[str] = names, patterns: Sequence[str] = patterns) -> bool:
            return name in names or any(fnmatchcase(name, pattern) for pattern in patterns)

        nodes = _only(tree(spans), wanted)
        inlined = {
            function: tuple(item for item in items if wanted(item[0])) for function, items in trace.inlined.items()
        }
        yield from ((actor, text, remark) for text, remark in _nodes(nodes, 0, None, inlined))
        if nodes:
            yield actor, "...", f"{len(spans)} functions in all"
    if trace.lost:
        yield "", f"{trace.lost} events lost", "the trace buffer was too small"


def _only(nodes: tuple[Node, ...], wanted: Callable[[str], bool]) -> tuple[Node, ...]:
    found: list[Node] = []
    for node in nodes:
        below = _only(node.children, wanted)
        found += [Node(node.span, below)] if wanted(whole_function(node.span.function)) else below
    return tuple(found)


def _without_details(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    return tuple(
        [
            Node(node.span, _without_details(node.children))
            for node in nodes
            if node.span.function not in _FAULTS and not node.span.function.startswith(_DETAILS)
        ]
    )


def _nodes(nodes: tuple[Node, ...], level: int, depth: int | None, inlined: _Inlined) -> Iterator[tuple[str, str]]:
    index = 0
    while index < len(nodes):
        node = nodes[index]
        count = 1
        while index + count < len(nodes) and _alike(node, nodes[index + count]):
            count += 1
        index += count
        hidden = depth is not None and level + 1 >= depth and bool(node.children)
        name = "  " * level + node.span.function + (f" x {count}" if count > 1 else "")
        yield name, _remark(node, sum(1 for _ in node.walk()) - 1 if hidden else 0)
        if not hidden:
            for function, place in inlined.get(node.span.function, ()):
                yield "  " * (level + 1) + function, f"inlined in {node.span.function}, {place}"
            yield from _nodes(node.children, level + 1, depth, inlined)


def _alike(one: Node, other: Node) -> bool:
    """Tell whether two neighbours can share a line: the same function, nothing below."""
    return (
        not one.children
        and not other.children
        and one.span.function == other.span.function
        and (one.span.duration is None) == (other.span.duration is None)
    )


def _remark(node: Node, hidden: int) -> str:
    parts = []
    if node.span.continued:
        parts.append("goes on")
    parts.append("does not return" if node.span.duration is None else _time(node.span.duration))
    if hidden:
        parts.append(f"{hidden} below")
    return ", ".join(parts)


def _time(ns: int) -> str:
    return f"{ns / 1000:.3g} us" if ns < 1_000_000 else f"{ns / 1_000_000:.3g} ms"
