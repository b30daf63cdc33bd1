"""A kernel of which not all can be read or told: what may depend on that is no divergence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ktrace.errors import KernelLacks
from ktrace.model.build import build_model
from ktrace.state.compare import Difference
from ktrace.state.conditions import conditions
from ktrace.state.step import Step
from ktrace.state.unread import Unread
from ktrace.trace.session_reader import SessionReader
from ktrace.verify.checker import Checker

RECORDED = Path(__file__).parents[3] / "traces" / "recorded" / "lab-7.3"


def checked(steps: Iterator[Step], facts: Any) -> list[tuple[int, Difference]]:
    """Return where a model that is told *facts* contradicts *steps*, up to the first of them that it does."""
    checker = Checker(lambda: build_model(facts))
    for step in steps:
        if found := checker.check(step):
            return [(step.number, item) for item in found]
    return []


def test_a_change_that_cannot_be_told_accuses_nobody() -> None:
    reader = SessionReader(RECORDED / "unix-stream.jsonl.gz")
    facts, steps = reader.header.facts, list(reader.steps())
    assert checked(iter(steps), facts) == []
    wrong = {**facts, "changes": replace(facts["changes"], unix_custom_sockopt=False, unix_stream_custom_sockopt=False)}
    assert checked(iter(steps), wrong)
    untold = {**facts, "changes": replace(facts["changes"], unix_custom_sockopt=None)}
    with pytest.raises(KernelLacks, match=r"step \d+: .*cannot be told whether it has unix_custom_sockopt, and what"):
        checked(iter(steps), untold)


def test_what_was_read_is_compared_beside_what_was_not() -> None:
    reader = SessionReader(RECORDED / "unix-stream.jsonl.gz")
    absent = Unread(structure="struct sock", member="sk_shutdown")
    steps = list(reader.steps())

    def spoiled(lie: bool) -> Iterator[Step]:
        for step in steps:
            world = {ref: absent if ref.kind == "sock" else value for ref, value in step.world.objects.items()}
            if lie and step.number == 12:
                world = {
                    ref: replace(value, euid=7) if ref.kind == "process" else value for ref, value in world.items()
                }
            yield replace(step, world=replace(step.world, objects=world))

    assert checked(spoiled(False), reader.header.facts) == []
    found = checked(spoiled(True), reader.header.facts)
    assert [(number, item.path) for number, item in found] == [(12, "process A.euid"), (12, "process B.euid")]


def test_a_condition_by_what_was_not_read_is_not_known() -> None:
    facts = SessionReader(RECORDED / "unix-stream.jsonl.gz").header.facts
    absent: Any = Unread(structure="struct unix_sock", member="oob_skb")
    assert conditions(facts)["unix_oob"] is True
    assert conditions({**facts, "socket": replace(facts["socket"], oob=absent)})["unix_oob"] is None
