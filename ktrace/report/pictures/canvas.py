"""Boxes and marks that every picture is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.text import Text

CHANGED = "bold yellow"
DIM = "dim"
NAME = "cyan"
WHO = "magenta"

INDENT = "  "


def line(*parts: Text | str | tuple[str, str]) -> Text:
    """Return one line of a picture, indented.

    :param parts: plain text, or text and its style
    """
    return Text.assemble(INDENT, *parts)


def mark(text: str, changed: bool, style: str = "") -> Text:
    """Return *text*, standing out if it is what the step changed."""
    return Text(text, CHANGED if changed else style)


def boxes(cells: Sequence[Sequence[Text]], labels: Sequence[str] = (), below: Sequence[str] = ()) -> list[Text]:
    """Return a row of boxes that share their walls.

    :param cells: the lines of each box; shorter ones are filled up
    :param labels: what stands above each box, *below* what stands under it
    """
    if not cells:
        return []
    height = max(map(len, cells))
    widths = [
        max([item.cell_len for item in cell] + [len(texts[index]) for texts in (labels, below) if index < len(texts)])
        for index, cell in enumerate(cells)
    ]
    rows = []
    if any(labels):
        rows.append(_captions(labels, widths))
    rows.append(line(("┌" + "┬".join("─" * width for width in widths) + "┐", DIM)))
    for number in range(height):
        row = Text(INDENT)
        for cell, width in zip(cells, widths, strict=True):
            row.append("│", DIM)
            item = cell[number] if number < len(cell) else Text()
            row.append_text(item)
            row.append(" " * (width - item.cell_len))
        row.append("│", DIM)
        rows.append(row)
    rows.append(line(("└" + "┴".join("─" * width for width in widths) + "┘", DIM)))
    if any(below):
        rows.append(_captions(below, widths))
    return rows


def in_rows(count: int, per_row: int) -> Iterable[range]:
    """Cut *count* boxes into rows."""
    for start in range(0, count, per_row):
        yield range(start, min(start + per_row, count))


def right(text: Text, width: int) -> Text:
    """Return *text* pushed to the right."""
    return Text.assemble(" " * max(0, width - text.cell_len), text)


def _captions(texts: Sequence[str], widths: Sequence[int]) -> Text:
    row = Text(INDENT)
    for index, width in enumerate(widths):
        text = texts[index] if index < len(texts) else ""
        row.append(" " + text + " " * (width - len(text)), "bold")
    row.rstrip()
    return row
