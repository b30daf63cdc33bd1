"""The facts that the model is built from: those of a guest, or of a session that somebody damaged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ktrace.errors import UsageError
from ktrace.model.build import build_model
from ktrace.trace.session_reader import SessionReader

RECORDED = Path(__file__).parents[3] / "traces" / "recorded"


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    """What was read of a guest."""
    return dict(SessionReader(RECORDED / "pipe-basic.jsonl.gz").header.facts)


def test_recorded_facts_are_facts(facts: dict[str, Any]) -> None:
    build_model(facts)


@pytest.mark.parametrize("name", ["pipe", "tree", "sysv", "socket", "changes"])
@pytest.mark.parametrize("value", [None, -1, (), {}])
def test_facts_of_another_type_are_refused(facts: dict[str, Any], name: str, value: object) -> None:
    with pytest.raises(UsageError, match=f"lack {name!r}"):
        build_model({**facts, name: value})


@pytest.mark.parametrize(
    ("mounts", "what"),
    [
        (None, r"tree.mounts is no tuple\[MountFacts, ...\]"),
        ((3,), r"tree.mounts\[0\] is no MountFacts"),
        (({},), r"tree.mounts\[0\] is no MountFacts"),
    ],
)
def test_damaged_members_are_named(facts: dict[str, Any], mounts: Any, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        build_model({**facts, "tree": replace(facts["tree"], mounts=mounts)})


def test_members_of_members_are_looked_at(facts: dict[str, Any]) -> None:
    first, *others = facts["tree"].mounts
    node = replace(first.root, times=(1, "x", 3))
    with pytest.raises(UsageError, match=r"mounts\[0\].root.times\[1\] is no int"):
        build_model({**facts, "tree": replace(facts["tree"], mounts=(replace(first, root=node), *others))})


def test_the_root_is_mounted_first(facts: dict[str, Any]) -> None:
    first, *others = facts["tree"].mounts
    with pytest.raises(UsageError, match=r"facts are damaged: tree.mounts does not begin with '/'"):
        build_model({**facts, "tree": replace(facts["tree"], mounts=(replace(first, path="/elsewhere"), *others))})
