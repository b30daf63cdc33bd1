"""Every call and every constant of scripts against the kernel: agreement, or one line that says what is not modelled.

``make walk`` takes many more words: each call and option on every kind of file and socket.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ktrace.errors import NotModelled, UsageError
from ktrace.model.fs.eventfd import EventFdOperations
from ktrace.verify.lab import Lab
from ktrace.verify.run import run_script
from ktrace.workload.parser import parse_script
from tests.sinks import Record
from tests.walk.walker import AGREED, UNKNOWN, Walker, dry
from tests.walk.words import Word, every_word, once

PARTS = 6

SAMPLE = 40
"""Of the words that the model does not know, one in so many is said to a guest."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(PARTS))
def test_the_kernel_does_what_the_model_says_or_the_model_does_not_know(part: int, new_lab: Callable[[], Lab]) -> None:
    walker = Walker(new_lab)
    words = list(enumerate(once(every_word())))[part::PARTS]
    kinds = [found.kind for found in dry([word for _, word in words], new_lab().facts)]
    known = [word for word, kind in zip(words, kinds, strict=True) if kind == AGREED]
    unknown = [word for word, kind in zip(words, kinds, strict=True) if kind == UNKNOWN][::SAMPLE]
    found = [*walker.walk(known), *walker.walk(unknown)]
    assert [(item.word.name, item.text) for item in found if item.kind not in (AGREED, UNKNOWN)] == []
    assert sum(item.kind == AGREED for item in found) > 1000 / PARTS
    assert [item.text for item in found if item.kind == UNKNOWN and (not item.text or "\n" in item.text)] == []


def test_what_is_not_modelled_is_said_with_its_place(lab: Lab) -> None:
    text = "## not-modelled: a network namespace\nA: getpid()\nA:   unshare(CLONE_NEWNET)\nA: getpid()\n"
    with pytest.raises(UsageError) as caught:
        run_script(parse_script(text, "mine.kt"), lab, Record(), {})
    assert caught.value.exit_code == 2
    assert caught.value.message.splitlines() == [
        "mine.kt:3:6: unshare is not modelled here: the model knows nothing of unshare(0x40000000)",
        "    A:   unshare(CLONE_NEWNET)",
        "         ^^^^^^^",
    ]


def test_a_name_that_was_not_bound_is_said_with_its_place(lab: Lab) -> None:
    text = '## wrong: no such name yet\nA: open("/tmp/none", O_RDONLY) -> f\nA: read(f, 1)\n'
    with pytest.raises(UsageError) as caught:
        run_script(parse_script(text, "mine.kt"), lab, Record(), {})
    first, line, caret = caught.value.message.splitlines()
    assert first == "mine.kt:3:9: 'f' is not bound"
    assert line[caret.index("^")] == "f"


def test_the_walk_finds_a_model_that_is_wrong(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EventFdOperations, "can_poll", False)
    right = Word("right", ("eventfd2(2, 0) -> f",))
    add = "epoll_ctl(e, EPOLL_CTL_ADD, f, {events=EPOLLIN})"
    wrong = Word("wrong", ("eventfd2(2, 0) -> f", "epoll_create1(0) -> e", add))
    found = list(Walker(lambda: lab).walk([(1, right), (2, wrong)]))
    assert [item.kind for item in found] == [AGREED, "wrong"]
    assert "observed 0 expected 'EPERM'" in found[1].text


def test_the_walk_goes_on_behind_what_is_not_modelled(new_lab: Callable[[], Lab]) -> None:
    walker = Walker(new_lab)
    found = list(walker.walk([(1, Word("unknown", ("unshare(CLONE_NEWNET)",))), (2, Word("known", ("getpid()",)))]))
    assert [item.kind for item in found] == [UNKNOWN, AGREED]
    assert isinstance(found[0].error, NotModelled)
    assert walker.labs == 2
