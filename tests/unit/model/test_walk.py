"""Every call and every constant of scripts, said to the model alone: it answers, or says what it does not know."""

from __future__ import annotations

from pathlib import Path

import pytest

from ktrace.agent.syscalls import CONSTANTS, SIGNATURES
from ktrace.model.fs.eventfd import EventFdOperations
from ktrace.trace.session_reader import SessionReader
from tests.walk.walker import AGREED, UNKNOWN, Found, dry
from tests.walk.words import GROUPS, Word, calls_in, constants_in, every_word, once

RECORDED = Path(__file__).parents[3] / "traces" / "recorded" / "process-alarm.jsonl.gz"
FACTS = SessionReader(RECORDED).header.facts
MANY = ("options", "messages", "descriptors")
"""Groups of thousands of words, of which some will do."""


def test_the_words_name_every_call_and_every_constant() -> None:
    words = every_word()
    assert set(SIGNATURES) - calls_in(words) == set()
    assert set(CONSTANTS) - constants_in(words) == set()
    chosen = once(words)
    assert constants_in(chosen) == constants_in(words)
    assert calls_in(chosen) == calls_in(words)


@pytest.mark.parametrize("group", GROUPS)
def test_the_model_answers_or_says_that_it_does_not_know(group: str) -> None:
    words = every_word(group)
    found = list(dry(once(words) + words[::50] if group in MANY else words[::2], FACTS))
    assert [(item.word.name, item.text) for item in found if item.kind not in (AGREED, UNKNOWN)] == []
    unknown = [item for item in found if item.kind == UNKNOWN]
    assert [item.word.name for item in unknown if not item.text or "\n" in item.text] == []
    assert len(unknown) < len(found) / 2


def said(*lines: str) -> Found:
    return next(iter(dry([Word("mine", lines)], FACTS)))


def test_a_model_that_falls_over_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert said("eventfd2(2, 0) -> f", "read(f, 8)").kind == AGREED
    monkeypatch.setattr(EventFdOperations, "read_iter", lambda *_: {}[8])
    found = said("eventfd2(2, 0) -> f", "read(f, 8)")
    assert found.kind == "wrong"
    assert "KeyError" in found.text


def test_what_is_not_known_is_told_apart() -> None:
    assert said("fork(CLONE_NEWNET) -> C#").kind == UNKNOWN
