"""Workloads found by name and by path."""

from __future__ import annotations

from pathlib import Path

import pytest

from ktrace.errors import UsageError
from ktrace.workload import ScriptError, bundled, load, parse_script, titles
from ktrace.workload.library import chosen, read

ROOT = Path(__file__).parents[3]


def test_bundled_workloads_have_names_and_titles() -> None:
    assert set(bundled()) == {path.stem for path in (ROOT / "traces").glob("*.kt")} != set()
    for name, title in titles().items():
        assert load(name).name == name
        assert title


def test_every_bundled_step_but_a_few_says_what_happens() -> None:
    for name in bundled():
        steps = [step for step in load(name).expanded() if step.place.line]
        silent = [
            step for step in steps if not (step.expectations or step.remark) and step.value is None and step.actor
        ]
        # store() and the like have nothing to say
        assert len(silent) <= max(3, len(steps) // 10), (name, [step.line for step in silent])


def test_unknown_names_have_close_matches() -> None:
    with pytest.raises(UsageError, match="unknown workload 'pipe-basik'") as raised:
        load("pipe-basik")
    assert "pipe-basic" in (raised.value.hint or "")


def test_paths(tmp_path: Path) -> None:
    path = tmp_path / "own.kt"
    path.write_text("## a title of its own\nA: getpid()\n")
    script = load(str(path))
    assert (script.name, script.title, script.source) == ("own", "a title of its own", "own.kt")
    with pytest.raises(UsageError, match=r"cannot read '.*none\.kt': No such file"):
        load(str(tmp_path / "none.kt"))
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not a text in UTF-8"):
        load(str(path))
    path.write_text("A: getpid(")
    with pytest.raises(ScriptError, match=r"^own\.kt:1:"):
        load(str(path))


def test_patterns_and_words_choose_bundled_workloads() -> None:
    pipes = tuple(name for name in bundled() if name.startswith("pipe-b"))
    assert pipes
    assert chosen(["pipe-b*", "./x*.kt", pipes[0]]) == (*pipes, "./x*.kt")
    assert chosen([], "pipe-b") == pipes
    for asked, words in ((["nosuch*"], ""), ([], "nosuch")):
        with pytest.raises(UsageError, match="nosuch"):
            chosen(asked, words)


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf## own: t\nA: getpid()\n",
        b"## own: t\r\nA: getpid()\r\n",
        b"\xef\xbb\xbf## own: t\r\nA: getpid()\r\n",
        b"## own: t\nA: getpid()",
    ],
)
def test_scripts_of_any_editor(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "own.kt"
    path.write_bytes(data)
    script = load(str(path))
    assert script == parse_script("## own: t\nA: getpid()\n", "own.kt")
    assert script.steps[0].place.line == 2


def test_a_mistake_in_a_script_of_another_editor_is_shown_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "own.kt"
    path.write_bytes(b"\xef\xbb\xbfA: getpid()\r\nA: nonsense()\r\n")
    with pytest.raises(ScriptError) as caught:
        load(str(path))
    assert caught.value.message == "own.kt:2:4: unknown call 'nonsense'\n    A: nonsense()\n       ^^^^^^^^"


def test_a_script_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "own.kt"
    path.write_bytes("## t: ä\nA: getpid()\n".encode("utf-16"))
    with pytest.raises(UsageError, match=r"cannot read 'own.kt': not a text in UTF-8"):
        load(str(path))


def test_how_many_steps_a_script_makes() -> None:
    for name in bundled():
        script = load(name)
        assert script.length() == sum(1 for _ in script.expanded())


def test_a_device_without_end_is_no_script() -> None:
    with pytest.raises(UsageError, match="more than 67108864 bytes"):
        read(Path("/dev/zero"))
