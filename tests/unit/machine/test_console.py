"""What a guest prints, and how it is searched."""

from __future__ import annotations

from pathlib import Path

import pytest

from ktrace.machine.console import CHUNK, Console, clean


@pytest.fixture
def console(tmp_path: Path) -> Console:
    """An empty console."""
    return Console(tmp_path / "console.log")


def test_it_is_private_and_empty(console: Console) -> None:
    assert console.path.stat().st_mode & 0o777 == 0o600
    assert console.text == ""
    assert console.tail() == ""
    assert console.find_panic() is None


def test_the_tail_is_the_end(console: Console) -> None:
    console.path.write_text("".join(f"line {number}\r\n" for number in range(10_000)))
    assert console.tail(3).splitlines() == ["line 9997", "line 9998", "line 9999"]


def test_a_line_without_end_does_not_make_the_tail_longer(console: Console) -> None:
    console.path.write_bytes(b"x" * 1_000_000)
    assert len(console.tail(10)) <= 10 * 400


def test_a_panic_is_found_with_its_reason(console: Console) -> None:
    console.path.write_text(
        "boot\r\nKernel panic - not syncing: Fatal exception in interrupt\r\nKernel Offset: disabled\r\n"
    )
    assert console.find_panic() == "Fatal exception in interrupt"


@pytest.mark.parametrize("before", [CHUNK - 10, CHUNK, 3 * CHUNK - 30])
def test_a_panic_is_found_across_what_is_read_at_once(console: Console, before: int) -> None:
    console.path.write_text("." * before + "Kernel panic - not syncing: why\nmore\n" + "." * 2 * CHUNK)
    assert console.find_panic() == "why"


def test_the_first_panic_counts(console: Console) -> None:
    console.path.write_text("Kernel panic - not syncing: first\nKernel panic - not syncing: second\n")
    assert console.find_panic() == "first"


def test_what_is_no_text_does_no_harm(console: Console) -> None:
    console.path.write_bytes(b"\xff\xfe\x1b[2Jwiped\x1b[0m\x07 Kernel panic - not syncing: \x1b[31mred\xff\r\n")
    assert console.find_panic() == "red�"
    assert "\x1b" not in console.text
    assert "wiped" in console.text


def test_cleaning() -> None:
    assert clean("a\x1b[1;31mb\x1b[Kc\r\n\td\x00\x08\x9b5m") == "abc\n\td5m"
    assert clean("żółw 管道 \U0001f600") == "żółw 管道 \U0001f600"


def test_lines_are_told_once_and_whole(tmp_path: Path) -> None:
    console = Console(tmp_path / "console.log", b"from before\n")
    assert console.fresh() == ()
    with console.path.open("ab") as stream:
        stream.write(b"one\ntwo\nthr")
    assert console.fresh() == ("one", "two")
    assert console.fresh() == ()
    with console.path.open("ab") as stream:
        stream.write(b"ee \x1b[2Jclear\r\n")
    assert console.fresh() == ("three clear",)
