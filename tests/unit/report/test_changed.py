"""Long lines go on under where they begin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from ktrace.report.changed import folded


def lines(text: str, width: int, hang: int) -> list[str]:
    return [line.plain for line in folded(Text(text), width, hang)]


def test_a_line_is_cut_at_spaces_and_goes_on_indented() -> None:
    assert lines("        pipe1      head 0 tail 1 and more", 30, 10) == [
        "        pipe1      head 0 tail",
        "          1 and more",
    ]


def test_a_word_that_is_too_long_is_cut() -> None:
    assert lines("ab " + "x" * 30, 12, 3) == ["ab " + "x" * 9, "   " + "x" * 9, "   " + "x" * 9, "   xxx"]


@pytest.mark.parametrize("width", [0, 1, 5])
def test_where_there_is_no_room_it_is_left_as_it_is(width: int) -> None:
    assert lines("a long line", width, 10) == ["a long line"]


def test_styles_stay_where_they_are() -> None:
    text = Text.assemble("one two ", ("three", "red"))
    one, two = folded(text, 8, 2)
    assert (one.plain, two.plain) == ("one two", "  three")
    assert [(span.start, span.end, span.style) for span in two.spans if span.style] == [(2, 7, "red")]


@given(st.text(st.sampled_from("ab é漢"), min_size=1, max_size=80), st.integers(8, 40), st.integers(0, 4))
def test_nothing_is_lost_and_everything_fits(text: str, width: int, hang: int) -> None:
    found = folded(Text(text), width, hang)
    assert all(line.cell_len <= width for line in found)
    assert "".join(line.plain for line in found).replace(" ", "") == text.replace(" ", "")
