"""A matrix without a guest: what is kept, what is not there, what is told."""

from __future__ import annotations

import fcntl
from dataclasses import replace
from pathlib import Path

import pytest

from ktrace.errors import UsageError
from ktrace.report.matrix import matrix_table
from ktrace.trace.session import FILE_NAME
from ktrace.verify.matrix.cell import Cell, CellVerdict
from ktrace.verify.matrix.kept import VERDICT, Kept, identity_of
from ktrace.verify.matrix.matrix import MatrixOptions, place_of, run_matrix, summarize
from ktrace.verify.matrix.one import unmet
from ktrace.workload.library import load
from ktrace.workload.parser import parse_script
from ktrace.workload.script import Script

CELL = Cell("pipe-basic", "lab-6.1", "pipe-basic")
AGREED = CellVerdict("pipe-basic", "lab-6.1", "agreed", "", 16, 2059, "6.1.192-lab")
SCRIPT = (
    "## one\nA: pipe2([r, w], 0)\nwhen watch_queue and not compat {\nA: close(r)\n}\nwhen udplite {\nA: close(w)\n}\n"
)


def script(text: str = SCRIPT) -> Script:
    return replace(parse_script(text, "one.kt"), name="one")


def test_a_verdict_holds_for_what_it_was_of(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "matrix")
    identity = identity_of("key", script(), functions=False)
    with kept.opened():
        assert kept.read(CELL, identity) is None
        kept.begin(CELL)
        kept.write(CELL, identity, AGREED)
        assert kept.read(CELL, identity) is None  # its session is not there
        (kept.place(CELL) / FILE_NAME).write_text("")
        assert kept.read(CELL, identity) == AGREED
        others = [
            identity_of("rebuilt", script(), functions=False),
            identity_of("key", script(SCRIPT + "A: close(9)\n"), functions=False),
            identity_of("key", script(), functions=True),
            {**identity, "ktrace": "another"},
        ]
        assert [kept.read(CELL, other) for other in others] == [None] * 4
        kept.begin(CELL)
        assert kept.read(CELL, identity) is None


def test_functions_are_held_against_the_paths_of_now(tmp_path: Path) -> None:
    paths = tmp_path / "one.paths"
    none = identity_of("key", script(), functions=True, paths=paths)
    paths.write_text("close: fput\n")
    some = identity_of("key", script(), functions=True, paths=paths)
    paths.write_text("close: __fput_sync\n")
    assert some not in (none, identity_of("key", script(), functions=True, paths=paths))
    assert identity_of("key", script(), functions=False, paths=paths) == identity_of("key", script(), functions=False)


@pytest.mark.parametrize(
    ("status", "final"), [("diverged", True), ("not there", True), ("guest", False), ("host", False)]
)
def test_what_failed_for_another_reason_is_tried_again(tmp_path: Path, status: str, final: bool) -> None:
    kept = Kept(tmp_path / "matrix")
    identity = identity_of("key", script(), functions=False)
    with kept.opened():
        kept.begin(CELL)
        if status == "diverged":
            (kept.place(CELL) / FILE_NAME).write_text("")
        kept.write(CELL, identity, replace(AGREED, status=status))
        assert (kept.read(CELL, identity) is not None) == final


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"identity": {}, "verdict": {"status": 1}}', b"\xff\xfe"])
def test_a_damaged_verdict_is_none(tmp_path: Path, damage: bytes) -> None:
    kept = Kept(tmp_path / "matrix")
    with kept.opened():
        (kept.begin(CELL) / VERDICT).write_bytes(damage)
        assert kept.read(CELL, identity_of("key", script(), functions=False)) is None


def test_a_directory_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photo").touch()
    with pytest.raises(UsageError, match="is no directory of a matrix"), Kept(tmp_path).opened():
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["photo"]


def test_two_do_not_work_in_one_directory(tmp_path: Path) -> None:
    with Kept(tmp_path).opened(), pytest.raises(UsageError, match="another ktrace matrix"), Kept(tmp_path).opened():
        pass
    with (tmp_path / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_scripts_of_one_name_have_places_of_their_own(tmp_path: Path) -> None:
    assert place_of("pipe-basic", "pipe-basic") == "pipe-basic"
    first, second = place_of(f"{tmp_path}/a/one.kt", "one"), place_of(f"{tmp_path}/b/one.kt", "one")
    assert first != second and first.startswith("one-") and second.startswith("one-")


def test_blocks_that_a_kernel_is_not_given() -> None:
    steps = script().steps
    assert list(unmet(steps, {"watch_queue": True, "compat": False, "udplite": True})) == []
    assert list(unmet(steps, {"watch_queue": True, "compat": True, "udplite": None})) == [
        "watch_queue and not compat",
        "udplite",
    ]


def test_an_image_that_is_not_there_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no image 'no-such-image'"):
        list(run_matrix(MatrixOptions(("pipe-basic",), ("no-such-image",), tmp_path / "matrix", jobs=1)))


def test_a_workload_that_is_not_there_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown workload"):
        list(run_matrix(MatrixOptions(("no-such",), ("lab-6.1",), tmp_path / "matrix")))
    assert not (tmp_path / "matrix").exists()


def test_the_sum_and_the_table() -> None:
    other = replace(AGREED, image="lab-7.3", status="diverged", message="step 3: pipe1.head", steps=3)
    text = summarize([(AGREED, True), (other, False)], 2).text
    assert text == "1 of 2 agreed, 1 diverged, 1 of them from before: 19 steps, 4118 fields compared"
    assert summarize([(AGREED, False)], 3).text == "1 of 3 agreed, 2 not done yet: 16 steps, 2059 fields compared"
    table = matrix_table(["pipe-basic", "sem-basic"], ["lab-6.1", "lab-7.3"], [AGREED, other])
    cells = [[str(cell) for cell in column.cells] for column in table.columns]
    assert cells == [["pipe-basic", "sem-basic"], ["agreed 16", ""], ["diverged at 3", ""]]


def test_every_bundled_workload_has_its_text() -> None:
    """A verdict holds for a script's text: where none was kept, any change would go unseen."""
    assert load("pipe-basic").lines[0].startswith("##")
