"""What a step changed, a line for each object; and long lines, folded under where they begin."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from rich.cells import cell_len
from rich.text import Text

from ktrace.state.compare import ABSENT
from ktrace.state.net.socket_tables import TABLES
from ktrace.state.world import World
from ktrace.trace.changes import Change, changes
from ktrace.trace.value import short

LABEL = 11
"""Columns that an object's name has."""


def change_lines(before: World, after: World, zeros: bool = False) -> Iterator[Text]:
    """Yield a line for each object that is not as before: its name, and its fields by their kernel names.

    :param zeros: of new objects the members that are 0, too
    """
    for ref, group in groupby(changes(before, after), key=lambda change: change.ref):
        items = list(group)
        if ref == TABLES and not zeros and not items[0].path:
            continue  # they are there from the first socket on, and never change
        yield Text.assemble((f"{items[0].label:<{LABEL - 1}} ", "cyan"), *_described(items, zeros))


def _described(items: list[Change], zeros: bool) -> list[Text]:
    first = items[0]
    if not first.path:
        if first.after is ABSENT:
            return [Text("gone", "dim")]
        return [Text("new ", "dim"), Text(short(first.after, zeros=zeros))]
    parts: list[Text] = []
    for item in items:
        if parts:
            parts.append(Text(", "))
        parts.append(_change(item))
    return parts


def _change(item: Change) -> Text:
    if item.before is ABSENT or item.before is None:
        return Text(f"{item.path} {short(item.after)}")
    if item.after is ABSENT:
        return Text(f"{item.path} gone")
    return Text(f"{item.path} {short(item.before)}→{short(item.after)}")


def folded(text: Text, width: int, hang: int) -> list[Text]:
    """Return *text* as lines that fit into *width* columns, all but the first indented by *hang*.

    It is cut at spaces; a word that is longer than a line is cut anywhere. Where there is no room to speak of, it is
    left as it is.
    """
    if text.cell_len <= width or width < 2 * hang:
        return [text]
    lines: list[Text] = []
    rest, room = text, width
    while rest.cell_len > room:
        cut = _fitting(rest.plain, room)
        space = rest.plain.rfind(" ", hang if not lines else 0, cut + 1)
        at = space if space > 0 else cut
        line, rest = rest.divide([at])
        lines.append(line)
        if rest.plain.startswith(" "):
            _, rest = rest.divide([1])
        room = width - hang
    lines.append(rest)
    return [line if not number else Text.assemble(" " * hang, line) for number, line in enumerate(lines)]


def _fitting(text: str, room: int) -> int:
    """Return how many characters of *text* fit into *room* columns."""
    if text.isascii():
        return room
    used = 0
    for number, char in enumerate(text):
        used += cell_len(char)
        if used > room:
            return max(1, number)
    return len(text)
