"""The series of a session: its pictures, and a person at the keys."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from ktrace.report.watch import PictureSeries
from ktrace.state.step import Step
from ktrace.trace.session import Verdict
from ktrace.trace.session_reader import SessionReader
from tests.unit.report.recorded import every_picture, small_session

KTRACE = [sys.executable, "-m", "ktrace"]
RIGHT, LEFT = "\x1b[C", "\x1b[D"


def series_of(session: Path) -> PictureSeries:
    """Return all pictures of a session."""
    reader = SessionReader(session)
    series = PictureSeries(reader.header.title, reader.header.initial)
    for event in reader.events():
        if isinstance(event, Step):
            series.step(event)
        elif isinstance(event, Verdict):
            series.verdict(event)
    return series


def test_a_frame(tmp_path: Path) -> None:
    rows = [row.plain.rstrip() for row in series_of(small_session(tmp_path)).draw(4, 76, 30, " keys ")]
    assert rows == [
        "step 5   a small session",
        '    2 B  write(4, "step 2") = 6',
        '    3 B  write(4, "step 3") = 6',
        '    4 B  write(4, "step 4") = 6',
        '    5 B  write(4, "more") = blocked',
        "    6 A  read(3) = -1 EAGAIN",
        '    7 B  write(4, "step 7") = 6',
        '    8 B  write(4, "step 8") = 6',
        "─" * 76,
        "# a comment",
        "B sleeps in pipe_write < vfs_write",
        "",
        "pipe1  4 of 4 slots in use, 24 bytes   tail 0  head 4",
        "  writers 1 (B:4)  ──▶  ring  ──▶  readers 1 (A:3)",
        "   t=h",
        "  ┌────┬────┬────┬────┐",
        "  │   6│   6│   6│   6│",
        "  │M   │M   │M   │M   │",
        "  └────┴────┴────┴────┘",
        '  [0] "step 5"  CAN_MERGE  page1+0  anon_pipe_buf_ops',
        '  [1] "step 5"  CAN_MERGE  page1+0  anon_pipe_buf_ops',
        '  [2] "step 5"  CAN_MERGE  page1+0  anon_pipe_buf_ops',
        '  [3] "step 5"  CAN_MERGE  page1+0  anon_pipe_buf_ops',
        "  waiting to write: B (exclusive)",
        "",
        "pipe1      wr_wait[0] {process B exclusive true func",
        '           autoremove_wake_function}, bufs[0].data "step 4"→"step 5",',
        '           bufs[1].data "step 4"→"step 5", bufs[2].data "step 4"→"step 5",',
        '           bufs[3].data "step 4"→"step 5"',
        " keys",
    ]


@pytest.mark.parametrize(("width", "height"), [(20, 6), (80, 24), (300, 100), (1, 1)])
def test_a_frame_fits(width: int, height: int, tmp_path: Path) -> None:
    rows = series_of(every_picture(tmp_path)).draw(0, width, height, "footer")
    assert len(rows) == max(2, height)
    assert all(row.cell_len <= width for row in rows)


def test_a_divergence_is_told(tmp_path: Path) -> None:
    text = "\n".join(row.plain for row in series_of(every_picture(tmp_path)).draw(0, 80, 24))
    assert (
        "the kernel and the model disagree\n  pipe1.head  observed 1\n              allowed  2\n  a complaint" in text
    )


def test_keys(tmp_path: Path) -> None:
    session = small_session(tmp_path)
    child = pexpect.spawn(
        KTRACE[0], [*KTRACE[1:], "watch", str(session)], dimensions=(30, 90), timeout=60, encoding="utf-8"
    )
    child.expect_exact('write(4, "step 1")')
    child.expect_exact("1 of 4 slots")
    child.send(" ")
    child.expect_exact("2 of 4 slots")
    child.send(RIGHT)
    child.expect_exact("3 of 4 slots")
    child.send(LEFT + LEFT)
    child.expect_exact("1 of 4 slots")
    child.send("e")
    child.expect_exact("agreed: the end of the session")
    child.send(" ")
    child.expect_exact("agreed: 12 steps")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_quit_at_once_and_play_by_itself(tmp_path: Path) -> None:
    session = small_session(tmp_path)
    child = pexpect.spawn(KTRACE[0], [*KTRACE[1:], "watch", "--delay", "0", str(session)], timeout=60, encoding="utf-8")
    child.expect_exact("agreed: the end of the session")
    child.send("q")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_without_a_terminal_everything_is_printed(tmp_path: Path) -> None:
    session = small_session(tmp_path)
    done = subprocess.run([*KTRACE, "watch", str(session)], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.count("slots in use") == 12
    assert "\x1b" not in done.stdout


def test_a_session_that_diverged_ends_with_1(tmp_path: Path) -> None:
    session = every_picture(tmp_path)
    done = subprocess.run([*KTRACE, "watch", str(session)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "divergence at step 1" in done.stdout
    child = pexpect.spawn(KTRACE[0], [*KTRACE[1:], "watch", "--delay", "0", str(session)], timeout=60, encoding="utf-8")
    child.expect_exact("the kernel and the model disagree")
    child.send("q")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 1


def test_a_frame_says_which_step_of_how_many_and_what_changed(tmp_path: Path) -> None:
    reader = SessionReader(small_session(tmp_path))
    series = PictureSeries(reader.header.title, reader.header.initial, 12)
    for step in reader.steps():
        series.step(step)
    rows = [row.plain.rstrip() for row in series.draw(1, 60, 40)]
    assert rows[0] == "step 2 of 12   a small session"
    assert rows[13] == "─" * 60  # the list has the room that nothing else needs
    changed = next(index for index, row in enumerate(rows) if row.startswith("pipe1      "))
    assert rows[changed].startswith('pipe1      head 1→2, bufs[0].data "step 1"→"step 2", bufs[1]')
    assert rows[changed + 1].startswith(" " * 11)


def test_steps_are_found_by_number_and_text(tmp_path: Path) -> None:
    series = series_of(small_session(tmp_path))
    assert [series.place_of(number) for number in (1, 12, 13)] == [0, 11, None]
    assert series.find("STEP 3", 0, 1) == 2
    assert series.find("step 3", 2, 1) == 3  # which changes it
    assert series.find("nothing has this", 0, 1) is None
    assert series.find("eagain", 11, -1) == 11 - 6
    assert series.find("wr_wait", 0, 1) == 4
    assert series.find("a comment", 0, 1) == 4


class Shell:
    """bash on a pseudo terminal, which runs ``ktrace watch`` on a session."""

    def __init__(self, session: Path) -> None:
        environment = {**os.environ, "PS1": "PROMPT> ", "TERM": "xterm"}
        self.child = pexpect.spawn(
            "bash", ["--norc", "--noprofile", "-i"], dimensions=(30, 90), timeout=60, encoding="utf-8", env=environment
        )
        self.says("PROMPT> ")
        self.types(f"{' '.join(KTRACE)} watch {session}\n", "step 1 of 12")

    def says(self, text: str) -> None:
        self.child.expect_exact(text)

    def types(self, keys: str, text: str) -> None:
        """Press *keys*, and wait for *text*."""
        self.child.send(keys)
        self.says(text)


def test_jumps_searches_and_help(tmp_path: Path) -> None:
    shell = Shell(small_session(tmp_path))
    shell.types("g10\r", "step 10 of 12")
    shell.types("g3x\x7f\x7f2\r", "step 2 of 12")
    shell.types("/EAGAIN\r", "step 6 of 12")
    shell.types("n", "step 12 of 12")
    shell.types("N", "step 6 of 12")
    shell.types("?", "any key goes back")
    shell.types("x", "step 6 of 12")
    shell.types("/no such thing\r", "no step has 'no such thing'")
    shell.types("g99\r", "step 12 of 12")
    shell.types("q", "PROMPT> ")


def test_a_watch_that_is_stopped_gives_the_terminal_back_and_draws_anew(tmp_path: Path) -> None:
    shell = Shell(small_session(tmp_path))
    shell.types(" ", "step 2 of 12")
    shell.types("\x1a", "Stopped")
    shell.says("PROMPT> ")
    shell.types("stty -a | tr ' ;' '\\n' | grep icanon\n", "\ricanon")
    shell.types("fg\n", "step 2 of 12")
    shell.says("slots in use")
    shell.types(" ", "step 3 of 12")  # without Enter: the keys live
    shell.types("q", "PROMPT> ")
    shell.types("stty -a | tr ' ;' '\\n' | grep icanon\n", "\ricanon")
