"""Where a session is to land: nothing is overwritten unasked, no parents are made."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ktrace.errors import HostError, UsageError
from ktrace.trace.session import FILE_NAME
from ktrace.verify.options import SessionOptions
from ktrace.verify.sessions import _make


def test_a_directory_that_has_a_session_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("kept\n")
    (tmp_path / "notes").write_text("mine\n")
    with pytest.raises(UsageError, match="has a session already") as caught:
        _make(SessionOptions(tmp_path))
    assert caught.value.hint == "name another directory, or add --force"
    assert (tmp_path / FILE_NAME).read_text() == "kept\n"


def test_force_removes_the_session_and_nothing_else(tmp_path: Path) -> None:
    for name in (FILE_NAME, "console.log", "qemu.log", "notes"):
        (tmp_path / name).write_text("x\n")
    (tmp_path / "checkpoints" / "3").mkdir(parents=True)
    assert _make(SessionOptions(tmp_path, force=True)) == tmp_path
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]


def test_an_empty_directory_and_one_that_is_not_there(tmp_path: Path) -> None:
    assert _make(SessionOptions(tmp_path)) == tmp_path
    assert _make(SessionOptions(tmp_path / "new")).is_dir()
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_what_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    os.mkfifo(tmp_path / "fifo")
    for name in ("file", "fifo"):
        with pytest.raises(UsageError, match="is no directory"):
            _make(SessionOptions(tmp_path / name, force=True))


def test_no_parents_are_made(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"cannot make .*No such file or directory"):
        _make(SessionOptions(tmp_path / "no" / "such"))
    assert not (tmp_path / "no").exists()
