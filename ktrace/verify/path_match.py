"""Find expected paths among the functions that an actor went through."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ktrace.inspect.trace.inlined import Inlined
from ktrace.state.trace.functions import Span, whole_function
from ktrace.verify.paths import Item

Place = Callable[[str], Mapping[str, Inlined]]
"""Returns what is inlined in a function, by name."""


@dataclass(frozen=True, slots=True)
class Match:
    """Where a function of a path was found.

    :param span: index of the span; :param inlined: where the source has it, if it has no span of its own
    """

    name: str
    span: int
    inlined: Inlined | None = None


class Matcher:
    """Find paths among the spans of one actor.

    The part of a function that gcc set apart is passed like the function itself. Its beginning is inlined where the
    part is called, so what the part calls is called from there.

    :param place: tells what is inlined in a function; such a function counts as passed where the one that holds it was
    """

    def __init__(self, spans: tuple[Span, ...], place: Place) -> None:
        self._spans = spans
        self._names = tuple([whole_function(span.function) for span in spans])
        self._place = place
        self._ends = _ends(spans)

    def find(self, path: tuple[Item, ...]) -> tuple[Match, ...] | None:
        """Return where each function of *path* was found, ``None`` if the path was not gone."""
        found = self._sequence(path, -1, 0)
        return None if found is None else found[1]

    def has(self, item: Item) -> bool:
        """Tell whether one of an item's functions was passed at all."""
        return any(
            _named(item, name) or self._inlined(item, span.function) is not None
            for span, name in zip(self._spans, self._names, strict=True)
        )

    def _sequence(self, items: tuple[Item, ...], parent: int, start: int) -> tuple[int, tuple[Match, ...]] | None:
        """Match *items* one after the other below *parent* from *start* on; return where the last one ended."""
        if not items:
            return start, ()
        for end, matches in self._item(items[0], parent, start):
            rest = self._sequence(items[1:], parent, end)
            if rest is not None:
                return rest[0], (*matches, *rest[1])
        return None

    def _item(self, item: Item, parent: int, start: int) -> Iterator[tuple[int, tuple[Match, ...]]]:
        spans = self._spans
        low, high = (0, len(spans)) if parent < 0 else (parent + 1, self._ends[parent])
        direct = item.direct and parent >= 0
        if parent >= 0 and (inlined := self._inlined(item, spans[parent].function)) is not None:
            yield from self._within(item, parent, max(start, low), inlined)
        index = max(start, low)
        while index < high:
            function = spans[index].function
            if _named(item, self._names[index]):
                below = self._sequence(item.inner, index, index + 1)
                if below is not None:
                    yield self._ends[index], (Match(function, index), *below[1])
            elif not direct and (inlined := self._inlined(item, function)) is not None:
                yield from self._within(item, index, index + 1, inlined)
            index = self._ends[index] if direct and self._names[index] == function else index + 1

    def _within(self, item: Item, holder: int, start: int, inlined: Inlined) -> Iterator[tuple[int, tuple[Match, ...]]]:
        """Match an inlined function: what it calls, the one that holds it calls."""
        below = self._sequence(item.inner, holder, start)
        if below is not None:
            yield (below[0] if item.inner else start), (Match(inlined.function, holder, inlined), *below[1])

    def _inlined(self, item: Item, function: str) -> Inlined | None:
        table = self._place(function)
        return next((table[name] for name in item.names if name in table), None)


def _named(item: Item, function: str) -> bool:
    return any(name == function or ("*" in name and fnmatchcase(function, name)) for name in item.names)


def _ends(spans: tuple[Span, ...]) -> list[int]:
    """Return, for each span, the index after the last one below it."""
    ends = [len(spans)] * len(spans)
    open_: list[int] = []
    for index, span in enumerate(spans):
        while open_ and spans[open_[-1]].depth >= span.depth:
            ends[open_.pop()] = index
        open_.append(index)
    return ends
