"""Annotations that depend on what a kernel has (docs/annotations.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from ktrace.state.call import Completed, Outcome, Result
from ktrace.state.changes import Changes
from ktrace.state.conditions import CONFIGURED, condition_names, conditions
from ktrace.workload.environment import Environment
from ktrace.workload.expect import check_annotation
from ktrace.workload.format import format_script
from ktrace.workload.parser import parse_script
from ktrace.workload.script import Step
from ktrace.workload.tokens import ScriptError

PAGE = Path(__file__).parents[3] / "docs" / "annotations.md"
NEW = {"splice_to_socket": True, "pipe_prealloc": True, "udplite": False}
OLD = {"splice_to_socket": False, "pipe_prealloc": False, "udplite": True}


def step(annotation: str) -> Step:
    script = parse_script(f'## t: t\nA: write(1, "x")  # {annotation}\n')
    (found,) = script.steps
    assert isinstance(found, Step)
    return found


def complaints(annotation: str, known: dict[str, bool | None], value: int | str) -> list[str]:
    result = Result(-1, value) if isinstance(value, str) else Result(value)
    outcome = Outcome((Completed("A", result),), frozenset())
    return [str(item) for item in check_annotation(step(annotation), outcome, Environment(), known)]


@pytest.mark.parametrize(
    ("annotation", "known", "value", "expected"),
    [
        ("4096 if splice_to_socket else 5", NEW, 4096, []),
        ("4096 if splice_to_socket else 5", NEW, 5, ["expected 4096, got 5"]),
        ("4096 if splice_to_socket else 5", OLD, 5, []),
        ("4096 if splice_to_socket else EFAULT", OLD, "EFAULT", []),
        ("4096 if splice_to_socket else EFAULT", OLD, 4096, ["expected EFAULT, got 4096"]),
        ("EAGAIN if splice_to_socket and not pipe_prealloc else 1", NEW, 1, []),
        ("1 if not udplite else 2 if pipe_prealloc else 3", OLD, 3, []),
        ("1 if splice_to_socket", OLD, 99, []),
        ("1 if splice_to_socket", NEW, 99, ["expected 1, got 99"]),
        ("1 if splice_to_socket else 2", {"splice_to_socket": None}, 99, []),
        ("1 if splice_to_socket else 2", {}, 99, []),
        ("1 if splice_to_socket and udplite else 2", {"splice_to_socket": None, "udplite": False}, 2, []),
    ],
)
def test_what_is_said_depends_on_the_kernel(
    annotation: str, known: dict[str, bool | None], value: int | str, expected: list[str]
) -> None:
    assert complaints(annotation, known, value) == expected


def test_the_actor_goes_on_to_the_alternative() -> None:
    (said,) = step("B: 1 if udplite else blocked").expectations
    assert said.otherwise is not None
    assert (said.actor, said.otherwise.actor, said.otherwise.kind) == ("B", "B", "blocked")
    (said,) = step("B: 1 if udplite else C: blocked").expectations
    assert said.otherwise is not None and said.otherwise.actor == "C"
    assert parse_script('## t: t\nA: write(1, "x")  # 1 if udplite else C: blocked\n').initial == ("A", "C")


@pytest.mark.parametrize(
    ("annotation", "what"),
    [
        ("1 if splice_to_sockt", "unknown condition 'splice_to_sockt'"),
        ("1 if 6.12", "expected what a kernel has"),
        ("1 if", "expected what a kernel has"),
        ("1 if udplite or compat", "expected"),
        ("1 if udplite else", "expected a value"),
        ("if udplite", "unknown annotation .if."),
    ],
)
def test_what_is_no_condition_is_told_with_its_place(annotation: str, what: str) -> None:
    with pytest.raises(ScriptError, match=what):
        step(annotation)


def test_it_is_written_as_it_is_read() -> None:
    text = '## t: t\nA: write(1, "x")  # 1; B: 2 if udplite and not compat else B: EAGAIN if watch_queue\n'
    script = parse_script(text)
    assert parse_script(format_script(script)) == script


def test_steps_under_a_condition_are_made_where_it_holds() -> None:
    block = "when watch_queue and not compat {\n    A: close(r)  # 0\n    ## why\n}\n"
    text = f"## t: t\nA: pipe([r, w])\n{block}A: close(w)\n"
    script = parse_script(text)
    assert parse_script(format_script(script)) == script
    made = [found.line for found in script.expanded({"watch_queue": True, "compat": False})]
    assert made == [0, 2, 4, 7]
    for known in ({"watch_queue": True, "compat": True}, {"watch_queue": None, "compat": False}, {}):
        assert [found.line for found in script.expanded(known)] == [0, 2, 7]
    assert len(list(script.expanded())) == script.length() == 4
    for known in ({"watch_queue": True, "compat": False}, {"watch_queue": True, "compat": True}, {}):
        assert script.length(known) == sum(1 for _ in script.expanded(known))
    with pytest.raises(ScriptError, match="the when is not closed"):
        parse_script("## t: t\nwhen compat {\nA: close(1)\n")
    with pytest.raises(ScriptError, match="unknown condition"):
        parse_script("## t: t\nwhen compact {\nA: close(1)\n}\n")


def test_words_are_changes_and_options_and_are_on_the_page() -> None:
    text = PAGE.read_text("utf-8")
    for name in CONFIGURED:
        assert f"| `{name}` |" in text
    assert not CONFIGURED.keys() & {item for item in condition_names() if item in Changes.__dataclass_fields__}
    assert set(conditions({}).values()) == {None}
